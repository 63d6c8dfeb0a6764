/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The job: find, see how large images are, take one after the other through the loader's threads.
 */
#include "run/pack.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "data/data.h"
#include "data/find.h"
#include "data/loader.h"
#include "data/reading.h"
#include "data/source.h"
#include "run/options.h"

#include <string.h>

enum { FORETOLD = 1024, NAMED_MOST = 10, BEGUN = 640 };

struct job {
    struct mdm_pack_run_options told;
    const maskdm_options *options;
    maskdm_control *control;
    const struct mdm_log *log;
    struct mdm_scan scan;
    struct mdm_reading how;
    struct mdm_pack_file file;
    struct mdm_loader *loader;
    uint16_t *picture;
};

static int64_t left_out(const struct job *j)
{
    return j->file.next - j->file.packed;
}

/* Beside images that cannot be read there are those that do not go into this file, which end the work. */
static int check_image(const struct job *j, int64_t i, const maskdm_image *m)
{
    const struct mdm_pack_file *f = &j->file;

    if (m->height != f->height || m->width != f->width)
        return mdm_fail(MASKDM_ESHAPE,
                        "%s has %lld x %lld pixels and those before it %lld x %lld: %s fits them to one size",
                        j->scan.file[i].path, (long long)m->height, (long long)m->width, (long long)f->height,
                        (long long)f->width, mdm_options_said(j->options, "image_size"));
    if (m->bits > f->bits)
        return mdm_fail(MASKDM_ESHAPE, "%s has %d bits a sample: %s 16 keeps them", j->scan.file[i].path, m->bits,
                        mdm_options_said(j->options, "bits"));
    return MASKDM_OK;
}

static int load(void *user, int64_t index, uint16_t *samples, int *bits)
{
    struct job *j = user;
    maskdm_image *m;
    int r;

    *bits = 0;
    MDM_TRY(mdm_source_image(&m, &j->scan, index, &j->how));
    r = check_image(j, index, m);
    if (r >= 0)
        memcpy(samples, m->sample, (size_t)(m->height * m->width) * (size_t)m->channels * sizeof *samples);
    mdm_image_free(&m);
    return r;
}

/* The size that is asked for, or that of the first image that can be read. */
static int find_size(struct job *j)
{
    const struct mdm_int_list *size = &j->told.image_size;
    maskdm_image *m = NULL;
    int r = MASKDM_OK;

    j->how.height = j->file.height = size->count ? size->value[0] : 0;
    j->how.width = j->file.width = size->count ? size->value[size->count - 1] : 0;
    for (int64_t i = 0; i < j->scan.count && !j->file.height; i++) {
        r = mdm_source_image(&m, &j->scan, i, &j->how);
        if (r == MASKDM_ENOMEM)
            return r;
        if (r < 0)
            continue;
        j->file.height = m->height;
        j->file.width = m->width;
        mdm_image_free(&m);
    }
    return j->file.height ? MASKDM_OK
                          : mdm_fail_prefix(r, "no readable image below \"%s\": %lld tried, the last failed with",
                                            j->told.data, (long long)j->scan.count);
}

static int prepare(struct job *j, const struct mdm_folder_options *folder)
{
    size_t elements;

    if (j->told.bits != 8 && j->told.bits != 16)
        return mdm_fail(MASKDM_EINVAL, "%s is %lld: 8 or 16", mdm_options_said(j->options, "bits"),
                        (long long)j->told.bits);
    MDM_TRY(mdm_reading_set(&j->how, folder, j->options, (int)j->told.channels));
    MDM_TRY(find_size(j));
    j->file.scan = &j->scan;
    j->file.channels = (int)j->told.channels;
    j->file.bits = (int)j->told.bits;
    elements = (size_t)(j->file.height * j->file.width * j->told.channels);
    j->picture = mdm_need(elements, sizeof *j->picture, "an image");
    if (!j->picture)
        return MASKDM_ENOMEM;
    return mdm_loader_create(&j->loader, (int)folder->loaders, mdm_loader_slots(elements, (int)folder->loaders),
                             elements, load, j);
}

static int open_file(struct job *j)
{
    static const char *const counts[] = {"background", "orientation", "resize", "crop", "pad"};
    char begun[BEGUN];
    size_t n;

    mdm_format(begun, sizeof begun, "maskdm pack %d: %lld images, %016llx, as %lld x %lld x %d of %d bits", 1,
               (long long)j->scan.count, (unsigned long long)j->scan.digest, (long long)j->file.height,
               (long long)j->file.width, j->file.channels, j->file.bits);
    for (size_t i = 0; i < MDM_LENGTH(counts); i++) {
        n = strlen(begun);
        mdm_format(begun + n, sizeof begun - n, ", %s %.40s", counts[i], mdm_options_text(j->options, counts[i]));
    }
    MDM_TRY(mdm_pack_file_open(&j->file, j->told.out, j->told.resume, begun));
    if (j->file.next)
        mdm_log_line(j->log, MASKDM_LOG_INFO, "going on behind %lld images of %lld", (long long)j->file.next,
                     (long long)j->scan.count);
    return MASKDM_OK;
}

/* ---- image by image ---- */

static int leave_out(struct job *j, int status)
{
    struct mdm_failure f;

    if (status == MASKDM_ENOMEM || status == MASKDM_ESHAPE)
        return status;
    mdm_failure_take(&f, status);
    mdm_log_line(j->log, left_out(j) < NAMED_MOST ? MASKDM_LOG_WARN : MASKDM_LOG_DEBUG, "left out: %s", f.text);
    return mdm_pack_file_add(&j->file, NULL);
}

/* Samples of 8 bits are narrowed where they stand. */
static int pack_one(struct job *j)
{
    unsigned char *narrow = (unsigned char *)j->picture;
    int bits, status = mdm_loader_take(j->loader, j->file.next, j->picture, &bits);

    (void)bits;
    if (status < 0)
        return leave_out(j, status);
    if (j->file.bits == 8)
        for (size_t k = 0; k < j->file.one; k++)
            narrow[k] = (unsigned char)(j->picture[k] / 257);
    return mdm_pack_file_add(&j->file, j->picture);
}

static int foretell(struct job *j)
{
    int64_t next[FORETOLD], n = j->scan.count - j->file.next;

    n = n < FORETOLD ? n : FORETOLD;
    for (int64_t i = 0; i < n; i++)
        next[i] = j->file.next + i;
    return mdm_loader_expect(j->loader, next, n);
}

static int pack_all(struct job *j)
{
    const int64_t count = j->scan.count, first = j->file.next;
    double told = 0;

    for (int64_t i = first; i < count; i++) {
        MDM_TRY(mdm_control_reading(j->control, &told, i, count));
        if (i == first || i % (FORETOLD / 2) == 0)
            MDM_TRY(foretell(j));
        MDM_TRY(pack_one(j));
    }
    return mdm_control_reading(j->control, &told, count, count);
}

/* What was done stays, where anything was. */
static int stop(struct job *j, int status)
{
    struct mdm_failure f;
    int kept;

    if (!j->file.part)
        return status;
    mdm_failure_take(&f, status);
    kept = mdm_pack_file_flush(&j->file) >= 0;
    if (kept)
        mdm_log_line(j->log, MASKDM_LOG_INFO, "%lld of %lld images are in %s: %s goes on with it",
                     (long long)j->file.next, (long long)j->scan.count, mdm_part_name(j->file.part),
                     mdm_options_said(j->options, "resume"));
    return mdm_failure_record(&f);
}

static int work(struct job *j)
{
    struct mdm_folder_options folder;
    int r;

    mdm_options_read(j->options, &mdm_images_options, &folder);
    MDM_TRY(mdm_data_find(&j->scan, j->told.data, NULL, &folder, j->options, j->log, j->control));
    mdm_data_tell_found(&j->scan, j->told.data, j->log);
    MDM_TRY(mdm_scan_mark_all(&j->scan, j->control));
    MDM_TRY(prepare(j, &folder));
    MDM_TRY(open_file(j));
    r = pack_all(j);
    if (r < 0)
        return stop(j, r);
    if (!j->file.packed)
        return mdm_fail(MASKDM_EINVAL, "no readable image below \"%s\": %lld tried", j->told.data,
                        (long long)j->scan.count);
    MDM_TRY(mdm_pack_file_finish(&j->file));
    mdm_log_line(j->log, MASKDM_LOG_INFO, "packed %lld images of %lld x %lld x %d into %s, %lld left out",
                 (long long)j->file.packed, (long long)j->file.height, (long long)j->file.width, j->file.channels,
                 j->told.out, (long long)left_out(j));
    return MASKDM_OK;
}

int mdm_pack_run(const maskdm_options *options, maskdm_control *control)
{
    struct job j = {.options = options, .control = control, .log = mdm_control_log(control)};
    int r;

    if (mdm_options_kind(options) != &mdm_pack_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not pack", mdm_options_kind(options)->name);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_pack_run_options, &j.told);
    r = work(&j);
    mdm_loader_release(&j.loader);
    mdm_pack_file_close(&j.file);
    mdm_free(j.picture);
    mdm_scan_free(&j.scan);
    return r;
}
