/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Output of a sampling job; see samples.h. A folder keeps the options beside the images, so that one that goes on can
 * be held to them: image i then gets the bytes that it would have had without the interruption.
 */
#include "run/samples.h"

#include "io/image.h"
#include "run/record.h"
#include "sample/sampler.h"
#include "util/alloc.h"
#include "util/error.h"

#include <limits.h>
#include <string.h>

enum { MOST_IN_GRID = 65536 };

/* ---- the place ---- */

struct holding {
    int entries, record;
    char name[256]; /* one of them, visible if any is */
};

static int note(void *user, const char *name, enum maskdm_file_kind kind)
{
    struct holding *h = user;

    (void)kind;
    h->record |= !strcmp(name, MASKDM_RECORD_NAME);
    if (!h->entries++ || h->name[0] == '.') {
        h->name[0] = '\0';
        strncat(h->name, name, sizeof h->name - 1);
    }
    return MASKDM_OK;
}

/* An empty folder may always be filled. What a killed job left before its record stood is a temporary file. */
static int judge(const char *folder, const maskdm_options *options, const char *const *skip)
{
    const int resume = maskdm_optionset_bool(options, "resume");
    struct holding h = {0};
    maskdm_options *old;
    int status;

    MASKDM_TRY(maskdm_folder_list(folder, note, &h));
    if (!h.entries || (resume && !h.record && h.name[0] == '.'))
        return MASKDM_OK;
    if (!resume)
        return maskdm_fail(MASKDM_EINVAL, "%s is not empty: it holds %s%s%s%s", folder, h.name, h.record ? "; " : "",
                           h.record ? maskdm_optionset_said(options, "resume") : "",
                           h.record ? " goes on with the samples in it" : "");
    if (!h.record)
        return maskdm_fail(MASKDM_EINVAL, "%s cannot be resumed: it holds %s, but no %s that says how", folder,
                           h.name, MASKDM_RECORD_NAME);
    MASKDM_TRY(maskdm_record_read(&old, folder, maskdm_optionset_kind(options)));
    status = old ? maskdm_record_compare(folder, old, options, skip) : MASKDM_OK;
    maskdm_optionset_release(&old);
    return status;
}

static int open_grid(struct maskdm_samples *s, const maskdm_options *options)
{
    const int64_t count = maskdm_optionset_int(options, "count");

    if (maskdm_optionset_bool(options, "resume"))
        return maskdm_fail(MASKDM_EINVAL, "%s goes on with a folder of single images, and %s is one picture",
                           maskdm_optionset_said(options, "resume"), s->path);
    if (count > MOST_IN_GRID)
        return maskdm_fail(MASKDM_EINVAL, "%lld images in one grid; at most %d, or give a folder", (long long)count,
                           MOST_IN_GRID);
    return maskdm_writer_reserve(&s->writer, s->path);
}

int maskdm_samples_open(struct maskdm_samples *s, const maskdm_options *options)
{
    static const char *const not_yet_known[] = {"model_digest", NULL}; /* before the model is loaded */
    const int64_t bits = maskdm_optionset_int(options, "bits");
    enum maskdm_file_kind kind;
    int grid;

    s->path = maskdm_optionset_string(options, "out");
    s->missing = maskdm_optionset_int(options, "count");
    if (bits != 8 && bits != 16)
        return maskdm_fail(MASKDM_EINVAL, "PNG files of %lld bits; 8 or 16", (long long)bits);
    MASKDM_TRY(maskdm_samples_is_grid(&grid, s->path));
    if (grid)
        return open_grid(s, options);
    MASKDM_TRY(maskdm_folder_check(s->path));
    MASKDM_TRY(maskdm_file_kind_of(&kind, s->path));
    return kind == MASKDM_FILE_NONE ? MASKDM_OK : judge(s->path, options, not_yet_known);
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
    char digits[MASKDM_SAMPLING_NAME] = "", again[MASKDM_SAMPLING_NAME];
    int64_t number;

    strncat(digits, name, sizeof digits - 1);
    digits[strcspn(digits, ".")] = '\0';
    if (maskdm_parse_i64(digits, &number) < 0 || number < 0)
        return -1;
    maskdm_sampling_name(again, number);
    return strcmp(again, name) ? -1 : number;
}

static int check_image(const struct search *s, const char *path)
{
    const struct maskdm_geometry *g = &s->model->geometry;
    struct maskdm_failure f = {0};
    maskdm_image *m;
    int status = maskdm_picture_read(&m, path, &maskdm_reading_standard, &f);

    if (status < 0)
        return maskdm_failure_record(&f);
    if (m->height != g->height || m->width != g->width || m->channels != g->channels || m->bits != s->bits)
        status = maskdm_fail(MASKDM_EFORMAT,
                             "%s has %lld x %lld pixels, %d channels and %d bits, not %lld x %lld, %lld and %d", path,
                             (long long)m->height, (long long)m->width, m->channels, m->bits, (long long)g->height,
                             (long long)g->width, (long long)g->channels, s->bits);
    else if (*m->remark) /* what we write gives rise to none */
        status = maskdm_fail(MASKDM_EFORMAT, "%s: %s", path, m->remark);
    maskdm_picture_free(&m);
    return status;
}

/* Images appear whole or not at all; one that is damaged was so by something else, and is drawn again. */
static int find_one(void *user, const char *name, enum maskdm_file_kind kind)
{
    struct search *s = user;
    const int64_t i = number_of(name);
    char *path;
    int status;

    (void)kind;
    if (i < 0 || i >= s->count)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_control_check(s->control, "sampling"));
    path = maskdm_path_join(s->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    status = check_image(s, path);
    maskdm_free(path);
    if (status == MASKDM_OK) {
        s->found[i / CHAR_BIT] |= (unsigned char)(1 << i % CHAR_BIT);
        s->there++;
    } else if (status == MASKDM_EFORMAT) {
        maskdm_log_line(maskdm_control_log(s->control), MASKDM_LOG_WARN, "drawing image %lld again: %s", (long long)i,
                        maskdm_error_text());
        status = MASKDM_OK;
    }
    return status;
}

static int list_missing(struct maskdm_samples *s, const struct search *search)
{
    int64_t n = 0;

    s->there = search->there;
    s->missing = search->count - search->there;
    if (!s->there || !s->missing)
        return MASKDM_OK;
    s->number = maskdm_need((size_t)s->missing, sizeof *s->number, "the numbers of missing images");
    if (!s->number)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < search->count; i++)
        if (!(search->found[i / CHAR_BIT] >> i % CHAR_BIT & 1))
            s->number[n++] = i;
    return MASKDM_OK;
}

static int find_there(struct maskdm_samples *s, const maskdm_options *options, const maskdm_model *model,
                      maskdm_control *control)
{
    struct search search = {.folder = s->path,
                            .model = model,
                            .bits = (int)maskdm_optionset_int(options, "bits"),
                            .count = s->missing,
                            .control = control};
    int status;

    MASKDM_TRY(maskdm_folder_sweep(s->path));
    search.found = maskdm_need((size_t)(s->missing / CHAR_BIT + 1), 1, "a list of images");
    if (!search.found)
        return MASKDM_ENOMEM;
    status = maskdm_folder_list(s->path, find_one, &search);
    if (status == MASKDM_OK)
        status = list_missing(s, &search);
    maskdm_free(search.found);
    if (status == MASKDM_OK)
        maskdm_log_line(maskdm_control_log(control), MASKDM_LOG_INFO, "resuming: %lld of %lld images are in %s",
                        (long long)s->there, (long long)search.count, s->path);
    return status;
}

/* ---- entering ---- */

static int enter(struct maskdm_samples *s, const maskdm_options *record, const maskdm_model *model,
                 maskdm_control *control)
{
    MASKDM_TRY(maskdm_folder_make(s->path));
    MASKDM_TRY(maskdm_folder_lock(&s->lock, s->path, "another run"));
    MASKDM_TRY(judge(s->path, record, NULL));
    if (maskdm_optionset_bool(record, "resume"))
        MASKDM_TRY(find_there(s, record, model, control));
    return maskdm_record_write(s->path, record);
}

int maskdm_samples_enter(struct maskdm_samples *s, const maskdm_options *options, const maskdm_model *model,
                         enum maskdm_weights which, maskdm_control *control)
{
    const char *asked = maskdm_optionset_string(options, "model_digest");
    char digest[17];
    maskdm_options *record;
    int status;

    MASKDM_TRY(maskdm_weights_digest(model, which, digest));
    if (*asked && strcmp(asked, digest))
        return maskdm_fail(MASKDM_EINVAL, "%s has weights of digest %s, not the %s of %s",
                           maskdm_optionset_string(options, "model"), digest, asked,
                           maskdm_optionset_said(options, "model_digest"));
    if (s->writer)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_optionset_clone(&record, options));
    status = maskdm_optionset_set(record, "model_digest", digest);
    if (status == MASKDM_OK)
        status = enter(s, record, model, control);
    maskdm_optionset_release(&record);
    return status;
}

void maskdm_samples_close(struct maskdm_samples *s)
{
    maskdm_writer_abandon(&s->writer);
    maskdm_folder_unlock(&s->lock);
    maskdm_free(s->number);
    s->number = NULL;
}
