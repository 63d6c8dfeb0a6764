/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Output of a sampling job; see samples.h. A folder keeps the options beside the images, so that one that goes on can
 * be held to them: image i then gets the bytes that it would have had without the interruption.
 */
#include "run/samples.h"

#include "base/alloc.h"
#include "base/error.h"
#include "image/image.h"
#include "run/given.h"
#include "run/record.h"
#include "sample/sampler.h"
#include "text/number.h"

#include <limits.h>
#include <string.h>

enum { MOST_IN_GRID = 65536 };

/* ---- the place ---- */

struct holding {
    int entries, record;
    char name[256]; /* one of them, visible if any is */
};

static int note(void *user, const char *name, enum mdm_file_kind kind)
{
    struct holding *h = user;

    (void)kind;
    h->record |= !strcmp(name, MDM_RECORD_NAME);
    if (!h->entries++ || h->name[0] == '.') {
        h->name[0] = '\0';
        strncat(h->name, name, sizeof h->name - 1);
    }
    return MASKDM_OK;
}

/* `said`: what is not said now is what it was, since the model, which has yet to be read, may say it. */
static int compare(const char *folder, const maskdm_options *old, const maskdm_options *options, int said)
{
    maskdm_options *now;
    int status;

    MDM_TRY(mdm_options_clone(&now, options));
    status = said ? mdm_options_complete(now, old) : MASKDM_OK;
    if (status == MASKDM_OK)
        status = mdm_record_compare(folder, old, now);
    mdm_options_release(&now);
    return status;
}

/* An empty folder may always be filled. What a killed job left before its record stood is a temporary file. */
static int judge(const struct mdm_samples *s, const maskdm_options *options, int said)
{
    const char *folder = s->told.out;
    const int resume = s->told.resume;
    struct holding h = {0};
    maskdm_options *old;
    int status;

    MDM_TRY(mdm_folder_list(folder, note, &h));
    if (!h.entries || (resume && !h.record && h.name[0] == '.'))
        return MASKDM_OK;
    if (!resume)
        return mdm_fail(MASKDM_EINVAL, "%s is not empty: it holds %s%s%s%s", folder, h.name, h.record ? "; " : "",
                        h.record ? mdm_options_said(options, "resume") : "",
                        h.record ? " goes on with the samples in it" : "");
    if (!h.record)
        return mdm_fail(MASKDM_EINVAL, "%s cannot be resumed: it holds %s, but no %s that says how", folder, h.name,
                        MDM_RECORD_NAME);
    MDM_TRY(mdm_record_read(&old, folder, mdm_options_kind(options)));
    status = old ? compare(folder, old, options, said) : MASKDM_OK;
    mdm_options_release(&old);
    return status;
}

static int open_grid(struct mdm_samples *s, const maskdm_options *options)
{
    const int64_t count = s->told.count;

    if (s->told.resume)
        return mdm_fail(MASKDM_EINVAL, "%s goes on with a folder of single images, and %s is one picture",
                        mdm_options_said(options, "resume"), s->told.out);
    if (count > MOST_IN_GRID)
        return mdm_fail(MASKDM_EINVAL, "%lld images in one grid; at most %d, or give a folder", (long long)count,
                        MOST_IN_GRID);
    return mdm_writer_reserve(&s->writer, s->told.out);
}

static int open_animation(struct mdm_samples *s, const maskdm_options *options)
{
    const char *path = s->told.animate, *said = mdm_options_said(options, "animate");

    if (!mdm_samples_is_png(path))
        return mdm_fail(MASKDM_EINVAL, "%s %s: an animation is a PNG file, whose name ends in .png", said, path);
    if (!strcmp(path, s->told.out))
        return mdm_fail(MASKDM_EINVAL, "%s and %s are both %s", said, mdm_options_said(options, "out"), path);
    if (s->told.count > MOST_IN_GRID)
        return mdm_fail(MASKDM_EINVAL, "%lld images in an animation; at most %d", (long long)s->told.count,
                        MOST_IN_GRID);
    return mdm_writer_reserve(&s->animation, path);
}

int mdm_samples_open(struct mdm_samples *s, const maskdm_options *options)
{
    enum mdm_file_kind kind;
    int grid;

    mdm_options_read(options, &mdm_sample_run_options, &s->told);
    MDM_TRY(mdm_given_check(&s->told, options));
    s->missing = s->told.count;
    if (s->told.bits != 8 && s->told.bits != 16)
        return mdm_fail(MASKDM_EINVAL, "PNG files of %lld bits; 8 or 16", (long long)s->told.bits);
    if (*s->told.animate)
        MDM_TRY(open_animation(s, options));
    MDM_TRY(mdm_samples_is_grid(&grid, s->told.out));
    if (grid)
        return open_grid(s, options);
    MDM_TRY(mdm_folder_check(s->told.out));
    MDM_TRY(mdm_file_kind_of(&kind, s->told.out));
    return kind == MDM_FILE_NONE ? MASKDM_OK : judge(s, options, 1);
}

/* ---- what is there ---- */

struct search {
    const char *folder;
    const maskdm_model *model;
    int bits;
    int64_t count, there;
    unsigned char *found; /* bit i: image i is there */
    maskdm_control *control;
};

/* The number in an image's name, or -1. */
static int64_t number_of(const char *name)
{
    char digits[MDM_SAMPLING_NAME] = "", again[MDM_SAMPLING_NAME];
    int64_t number;

    strncat(digits, name, sizeof digits - 1);
    digits[strcspn(digits, ".")] = '\0';
    if (mdm_parse_i64(digits, &number) < 0 || number < 0)
        return -1;
    mdm_sampler_name(again, number);
    return strcmp(again, name) ? -1 : number;
}

static int check_image(const struct search *s, const char *path)
{
    const struct mdm_geometry *g = &s->model->geometry;
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
    const int64_t i = number_of(name);
    char *path;
    int status;

    (void)kind;
    if (i < 0 || i >= s->count)
        return MASKDM_OK;
    MDM_TRY(mdm_control_check(s->control, "sampling"));
    path = mdm_path_join(s->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    status = check_image(s, path);
    mdm_free(path);
    if (status == MASKDM_OK) {
        s->found[i / CHAR_BIT] |= (unsigned char)(1 << i % CHAR_BIT);
        s->there++;
    } else if (status == MASKDM_EFORMAT) {
        mdm_log_line(mdm_control_log(s->control), MASKDM_LOG_WARN, "drawing image %lld again: %s", (long long)i,
                     mdm_error_text());
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

static int find_there(struct mdm_samples *s, const maskdm_model *model, maskdm_control *control)
{
    struct search search = {
        .folder = s->told.out, .model = model, .bits = (int)s->told.bits, .count = s->missing, .control = control};
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
        mdm_log_line(mdm_control_log(control), MASKDM_LOG_INFO, "resuming: %lld of %lld images are in %s",
                     (long long)s->there, (long long)search.count, s->told.out);
    return status;
}

/* ---- entering ---- */

static int enter(struct mdm_samples *s, const maskdm_options *record, const maskdm_model *model,
                 maskdm_control *control)
{
    MDM_TRY(mdm_folder_make(s->told.out));
    MDM_TRY(mdm_folder_lock(&s->lock, s->told.out, "another run"));
    MDM_TRY(judge(s, record, 0));
    if (s->told.resume)
        MDM_TRY(find_there(s, model, control));
    return mdm_record_write(s->told.out, record);
}

/* Keep the digest of the weights that came from `path` as option `name`, which may have said what it must be. */
static int keep_digest(maskdm_options *record, const char *name, const char *path, const maskdm_model *model,
                       enum maskdm_weights which)
{
    const char *asked = mdm_options_text(record, name);
    char digest[17];

    MDM_TRY(mdm_model_digest(model, which, digest));
    if (*asked && strcmp(asked, digest))
        return mdm_fail(MASKDM_EINVAL, "%s has weights of digest %s, not the %s of %s", path, digest, asked,
                        mdm_options_said(record, name));
    return mdm_options_set(record, name, digest);
}

int mdm_samples_enter(struct mdm_samples *s, const maskdm_options *options, const maskdm_model *model,
                      const maskdm_model *guide, maskdm_control *control)
{
    maskdm_options *record;
    int status;

    MDM_TRY(mdm_options_clone(&record, options));
    status = mdm_options_set(record, "resume", "false"); /* of this start alone */
    if (status == MASKDM_OK)
        status = mdm_sampler_follow(record, model);
    if (status == MASKDM_OK)
        status = keep_digest(record, "model_digest", s->told.model, model, s->told.weights);
    if (status == MASKDM_OK && guide)
        status = keep_digest(record, "guide_digest", s->told.guide, guide, s->told.guide_weights);
    if (status == MASKDM_OK && !s->writer)
        status = enter(s, record, model, control);
    mdm_options_release(&record);
    return status;
}

void mdm_samples_close(struct mdm_samples *s)
{
    mdm_writer_abandon(&s->writer);
    mdm_writer_abandon(&s->animation);
    mdm_folder_unlock(&s->lock);
    mdm_free(s->number);
    s->number = NULL;
}
