/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Output of a sampling job; see samples.h. A folder keeps the options beside the images, so that one that goes on can
 * be held to them: image i then gets the bytes that it would have had without the interruption.
 */
#include "run/samples.h"

#include "base/alloc.h"
#include "base/error.h"
#include "run/given.h"
#include "run/record.h"

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

static int refuse_of_grid(const struct mdm_samples *s, const maskdm_options *options)
{
    const struct {
        const char *name;
        int given;
    } of_grid[] = {
        {"scale", s->told.scale != 0}, {"captions", s->told.captions}, {"nearest", *s->told.nearest != '\0'}};

    for (size_t i = 0; i < MDM_LENGTH(of_grid); i++)
        if (of_grid[i].given)
            return mdm_fail(MASKDM_EINVAL, "%s is of a grid, whose name ends in .png, and %s is a folder",
                            mdm_options_said(options, of_grid[i].name), s->told.out);
    return MASKDM_OK;
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
    MDM_TRY(refuse_of_grid(s, options));
    MDM_TRY(mdm_folder_check(s->told.out));
    MDM_TRY(mdm_file_kind_of(&kind, s->told.out));
    return kind == MDM_FILE_NONE ? MASKDM_OK : judge(s, options, 1);
}

/* ---- entering ---- */

static int enter(struct mdm_samples *s, const maskdm_options *record, const maskdm_sampler *sampler,
                 const struct mdm_naming *naming)
{
    MDM_TRY(mdm_folder_make(s->told.out));
    MDM_TRY(mdm_folder_lock(&s->lock, s->told.out, "another run"));
    MDM_TRY(judge(s, record, 0));
    if (s->told.resume)
        MDM_TRY(mdm_samples_find(s, sampler, naming));
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

/* What each file says: nothing that may change when the folder is gone on with, so that equal images are equal files.
 */
static int describe(struct mdm_samples *s, const maskdm_options *record)
{
    const struct mdm_png_text said[] = {
        {"Software", "maskdm"}, {"maskdm.model", mdm_options_text(record, "model_digest")}, {"maskdm.options", NULL}};

    mdm_format(s->digest, sizeof s->digest, "%s", said[1].text);
    mdm_options_write_json_lasting(record, "seed", &s->about);
    memcpy(s->text, said, sizeof said);
    s->text[1].text = s->digest;
    s->text[2].text = s->about.data;
    return mdm_text_ok(&s->about);
}

int mdm_samples_enter(struct mdm_samples *s, const maskdm_options *options, const maskdm_sampler *sampler,
                      const struct mdm_naming *naming)
{
    maskdm_options *record;
    int status;

    MDM_TRY(mdm_options_clone(&record, options));
    status = mdm_options_set(record, "resume", "false"); /* of this start alone */
    if (status == MASKDM_OK)
        status = mdm_sampler_follow(record, sampler->model);
    if (status == MASKDM_OK)
        status = keep_digest(record, "model_digest", s->told.model, sampler->model, s->told.weights);
    if (status == MASKDM_OK && sampler->guide)
        status = keep_digest(record, "guide_digest", s->told.guide, sampler->guide, s->told.guide_weights);
    if (status == MASKDM_OK && s->told.metadata)
        status = describe(s, record);
    if (status == MASKDM_OK && !s->writer)
        status = enter(s, record, sampler, naming);
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
    mdm_text_free(&s->about);
    mdm_nearest_close(&s->nearest);
}
