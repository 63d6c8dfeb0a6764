/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a folder of images. Every image is decoded once, which finds the broken ones and fills the cache; where an
 * earlier opening of the same files has found them, files are only looked at and images decoded when they are asked
 * for.
 */
#include "data/folder_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/control.h"
#include "data/source.h"
#include "model/labels.h"
#include "option/option.h"
#include "text/text.h"

#include <string.h>

enum { NAMED_MOST = 10 /* broken files that the log names one by one */ };

/* ---- what is there ---- */

/* Arrays of just this form are read when they are asked for: the system keeps them in memory as long as there is any,
 * and a cache would hold the same bytes once more. */
static int is_in_place(const struct mdm_folder *d)
{
    const struct mdm_scan_samples *a = &d->scan.samples;

    return d->scan.kind->samples && a->height == d->reading.height && a->width == d->reading.width &&
           a->channels == d->reading.channels;
}

/* Memory of the loader and, where 8-bit images fit the limit, of the cache: all of it counted before it is taken. */
static int prepare(struct mdm_folder *d, int threads)
{
    size_t elements = (size_t)mdm_data_stored(&d->base), one = elements * sizeof *d->picture, all;
    int64_t slots;

    d->picture = mdm_need(elements, sizeof *d->picture, "an image");
    if (!d->picture)
        return MASKDM_ENOMEM;
    d->in_place = is_in_place(d);
    if (d->in_place)
        return MASKDM_OK;
    slots = mdm_loader_slots(elements, threads);
    MDM_TRY(mdm_folder_count(d, &d->ahead, (size_t)slots * one, "images loaded ahead"));
    if (!mdm_mul_size(&all, elements, (size_t)d->scan.count) && all <= d->limit) {
        MDM_TRY(mdm_folder_count(d, &d->counted, all, "the image cache"));
        d->cache = mdm_need((size_t)d->scan.count, sizeof *d->cache, "the image cache");
        if (!d->cache)
            return MASKDM_ENOMEM;
    }
    return mdm_loader_create(&d->loader, threads, slots, elements, mdm_folder_load, d);
}

static void tally(struct mdm_folder *d)
{
    d->base.count = d->scan.count;
    d->base.skipped = d->scan.broken + d->scan.unreadable;
    d->base.unlabelled = 0;
    for (int64_t i = 0; i < d->scan.count; i++)
        d->base.unlabelled += d->scan.file[i].label < 0;
}

/* Move what is marked as left out behind the others, in the list and in the cache. */
static void settle(struct mdm_folder *d)
{
    int64_t n = 0, all = d->base.count;

    for (int64_t i = 0; i < all && d->cache; i++)
        if (!d->scan.file[i].left_out)
            d->cache[n++] = d->cache[i];
    if (d->cache) {
        memset(d->cache + n, 0, (size_t)(all - n) * sizeof *d->cache);
        mdm_folder_uncount(d, &d->counted, (size_t)(all - n) * (size_t)mdm_data_stored(&d->base));
    }
    mdm_scan_settle(&d->scan);
    tally(d);
}

int mdm_data_folder(maskdm_data **out, maskdm_device *device, const char *path, struct mdm_scan *found,
                    const struct mdm_folder_options *told, const maskdm_options *from)
{
    const struct mdm_int_list *size = &told->image_size;
    struct mdm_folder *d;
    int r;

    *out = NULL;
    MDM_TRY(mdm_data_begin(&d, sizeof *d, &mdm_folder_class, device, found->count, size->value[0],
                           size->value[size->count > 1], (int)told->channels));
    *out = &d->base;
    d->base.margin_height = mdm_reading_margin(told, d->base.height);
    d->base.margin_width = mdm_reading_margin(told, d->base.width);
    d->scan = *found;
    memset(found, 0, sizeof *found);
    d->base.files = &d->scan;
    d->base.labels = d->scan.labels;
    tally(d);
    d->limit = (size_t)told->cache_limit;
    d->path = mdm_strdup(path);
    mdm_remark_counts_begin(&d->remarks);
    mdm_forms_begin(&d->forms);
    r = d->path ? mdm_reading_set(&d->reading, told, from, d->base.channels)
                : mdm_fail_memory(strlen(path) + 1, "a file name");
    d->reading.height = d->base.height + d->base.margin_height;
    d->reading.width = d->base.width + d->base.margin_width;
    if (r >= 0)
        r = prepare(d, (int)told->loaders);
    if (r < 0)
        mdm_data_release(out);
    return r;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

void mdm_data_tell_found(const struct mdm_scan *found, const char *path, const struct mdm_log *log)
{
    const struct mdm_labels labels = {found->label, found->labels};
    const char *where = found->source ? "in" : "below";
    struct mdm_text names = {0};

    mdm_labels_list(&labels, &names);
    if (!found->labels)
        mdm_log_line(log, MASKDM_LOG_INFO, "found %lld image%s %s %s, without labels", (long long)found->count,
                     plural(found->count), where, path);
    else if (names.data && !names.failed)
        mdm_log_line(log, MASKDM_LOG_INFO, "found %lld image%s %s %s, %lld label%s (%s)",
                     (long long)found->count, plural(found->count), where, path, (long long)found->labels,
                     plural(found->labels), names.data);
    mdm_text_free(&names);
    mdm_endings_tell(&found->ignored, log);
}

/* ---- reading ---- */

static int foretell_all(struct mdm_folder *d)
{
    int64_t *all = mdm_need((size_t)d->base.count, sizeof *all, "the list of images");
    int r;

    if (!all)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < d->base.count; i++)
        all[i] = i;
    r = mdm_loader_expect(d->loader, all, d->base.count);
    mdm_free(all);
    return r;
}

/* What reading came upon. */
struct finds {
    const struct mdm_log *log;
    int64_t broken;
    struct mdm_failure first;
};

/* Image i failed, as this thread's line says. A broken one is marked; where the images are known it ends the reading.
 */
static int judge(struct mdm_folder *d, int64_t i, int status, struct finds *found)
{
    struct mdm_failure f;

    if (status == MASKDM_ENOMEM || status == MASKDM_ECANCELED || d->looking)
        return status;
    mdm_failure_take(&f, status);
    mdm_log_line(found->log, found->broken < NAMED_MOST ? MASKDM_LOG_WARN : MASKDM_LOG_DEBUG, "left out: %s", f.text);
    if (!found->broken++)
        found->first = f;
    d->scan.file[i].left_out = 1;
    return MASKDM_OK;
}

static const char *path_at(const void *user, int64_t i)
{
    return ((const struct mdm_folder *)user)->scan.file[i].path;
}

/* Take every image through the loader, in order, into the cache where there is one. */
static int take_all(struct mdm_folder *d, struct finds *found, maskdm_control *control)
{
    int64_t count = d->base.count;
    double told = 0;

    MDM_TRY(foretell_all(d));
    for (int64_t i = 0; i < count; i++) {
        int bits, status;

        MDM_TRY(mdm_control_reading(control, &told, i, count));
        status = mdm_loader_take(d->loader, i, d->picture, &bits);
        if (status < 0)
            MDM_TRY(judge(d, i, status, found));
        else if (!d->looking)
            MDM_TRY(mdm_folder_keep(d, i, bits));
    }
    return mdm_control_reading(control, &told, count, count);
}

/* A folder all of whose images are broken is a label all the same, which a network would have and never see. */
static int tell_empty_labels(const struct mdm_folder *d, const struct mdm_log *log)
{
    const struct mdm_scan *s = &d->scan;
    unsigned char *seen = s->labels ? mdm_need((size_t)s->labels + 1, 1, "a list of labels") : NULL;
    int64_t empty = 0, first = 0;

    if (!s->labels)
        return MASKDM_OK;
    if (!seen)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < s->count; i++)
        seen[s->file[i].label + 1] = 1;
    for (int64_t i = s->labels - 1; i >= 0; i--)
        if (!seen[i + 1]) {
            first = i;
            empty++;
        }
    mdm_free(seen);
    if (empty)
        mdm_log_line(log, MASKDM_LOG_WARN, "%lld label%s without an image that can be read: %s%s",
                     (long long)empty, plural(empty), s->label[first], empty > 1 ? ", ..." : "");
    return MASKDM_OK;
}

int mdm_data_read(maskdm_data *data, int known, const struct mdm_log *log, maskdm_control *control)
{
    struct mdm_folder *d = (struct mdm_folder *)data;
    struct finds found = {.log = log};

    if (known && d->scan.broken)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "left out as before: %lld file%s that cannot be read, the first is %s",
                     (long long)d->scan.broken, plural(d->scan.broken), d->scan.file[d->scan.count].path);
    if (d->in_place)
        return tell_empty_labels(d, log);
    d->looking = known;
    MDM_TRY(take_all(d, &found, control));    /* loader threads may be at work still, on a set that goes */
    d->looking = 0;
    mdm_remark_counts_log(&d->remarks, log, path_at, d);
    if (found.broken > NAMED_MOST)
        mdm_log_line(log, MASKDM_LOG_WARN, "left out: %lld files in all that could not be read, %d of them named",
                     (long long)found.broken, NAMED_MOST);
    if (found.broken == d->scan.count)
        return mdm_fail(MASKDM_EINVAL,
                        "no readable image below \"%s\": %lld file%s tried, the first failed with: %s", d->path,
                        (long long)d->scan.count, plural(d->scan.count), found.first.text);
    settle(d);
    mdm_folder_settle(d);
    return tell_empty_labels(d, log);
}

void mdm_data_tell_forms(maskdm_data *data, const struct mdm_log *log)
{
    struct mdm_folder *d = (struct mdm_folder *)data;
    const struct mdm_scan_samples *a = &d->scan.samples;

    if (data->kind != &mdm_folder_class)
        return;
    if (d->in_place && !d->forms.images)
        mdm_forms_add(&d->forms, &(struct mdm_image_form){a->height, a->width, a->channels, a->bits}, d->base.count);
    mdm_forms_tell(&d->forms, log);
}

int mdm_data_mark(maskdm_data *data, maskdm_control *control)
{
    struct mdm_folder *d = (struct mdm_folder *)data;

    if (data->kind != &mdm_folder_class || !data->files || d->scan.digest)
        return MASKDM_OK;
    return mdm_scan_mark_all(&d->scan, control);
}
