/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which images of a folder are there, by their names, and in order.
 */
#include "run/samples.h"

#include "base/alloc.h"
#include "base/error.h"

#include <limits.h>

struct search {
    const char *folder;
    const maskdm_sampler *sampler;
    const struct mdm_naming *naming;
    int bits;
    int64_t count, there;
    unsigned char *found; /* bit i: image i is there */
};

static int check_image(const struct search *s, const char *path)
{
    const struct mdm_geometry *g = &s->sampler->geometry;
    maskdm_image *m;
    int status = mdm_image_read(&m, path, &mdm_reading_standard);

    if (status < 0)
        return status;
    if (m->height != g->height || m->width != g->width || m->channels != g->channels || m->bits != s->bits)
        status = mdm_fail(MASKDM_EFORMAT,
                          "%s has %lld x %lld pixels, %d channels and %d bits, not %lld x %lld, %lld and %d", path,
                          (long long)m->height, (long long)m->width, m->channels, m->bits, (long long)g->height,
                          (long long)g->width, (long long)g->channels, s->bits);
    else if (*m->remark) /* what we write gives rise to none */
        status = mdm_fail(MASKDM_EFORMAT, "%s: %s", path, m->remark);
    mdm_image_free(&m);
    return status;
}

/* Images appear whole or not at all; one that is damaged was so by something else, and is drawn again. */
static int find_one(void *user, const char *name, enum mdm_file_kind kind)
{
    struct search *s = user;
    const int64_t i = mdm_naming_number(s->naming, name, s->count);
    char *path;
    int status;

    (void)kind;
    if (i < 0)
        return MASKDM_OK;
    MDM_TRY(mdm_control_check(s->sampler->control, "sampling"));
    path = mdm_path_join(s->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    status = check_image(s, path);
    mdm_free(path);
    if (status == MASKDM_OK) {
        s->found[i / CHAR_BIT] |= (unsigned char)(1 << i % CHAR_BIT);
        s->there++;
    } else if (status == MASKDM_EFORMAT) {
        mdm_log_line(mdm_control_log(s->sampler->control), MASKDM_LOG_WARN, "drawing image %lld again: %s",
                     (long long)i, mdm_error_text());
        status = MASKDM_OK;
    }
    return status;
}

static int list_missing(struct mdm_samples *s, const struct search *search)
{
    int64_t n = 0;

    s->there = search->there;
    s->missing = search->count - search->there;
    if (!s->there || !s->missing)
        return MASKDM_OK;
    s->number = mdm_need((size_t)s->missing, sizeof *s->number, "the numbers of missing images");
    if (!s->number)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < search->count; i++)
        if (!(search->found[i / CHAR_BIT] >> i % CHAR_BIT & 1))
            s->number[n++] = i;
    return MASKDM_OK;
}

int mdm_samples_find(struct mdm_samples *s, const maskdm_sampler *sampler, const struct mdm_naming *naming)
{
    struct search search = {
        .folder = s->told.out, .sampler = sampler, .naming = naming, .bits = (int)s->told.bits, .count = s->missing};
    int status;

    MDM_TRY(mdm_folder_sweep(s->told.out));
    search.found = mdm_need((size_t)(s->missing / CHAR_BIT + 1), 1, "a list of images");
    if (!search.found)
        return MASKDM_ENOMEM;
    status = mdm_folder_list(s->told.out, find_one, &search);
    if (status == MASKDM_OK)
        status = list_missing(s, &search);
    mdm_free(search.found);
    if (status == MASKDM_OK)
        mdm_log_line(mdm_control_log(sampler->control), MASKDM_LOG_INFO, "resuming: %lld of %lld images are in %s",
                     (long long)s->there, (long long)search.count, s->told.out);
    return status;
}
