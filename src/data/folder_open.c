/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a folder of images. Every image is decoded once, which finds the broken ones and fills the cache; where an
 * earlier opening of the same files has found them, files are only looked at and images decoded when they are asked
 * for.
 */
#include "data/folder_private.h"

#include "model/labels.h"
#include "util/alloc.h"
#include "util/checked.h"
#include "util/control.h"
#include "util/option.h"

#include <string.h>

enum {
    AHEAD_BYTES = 16 << 20, /* of loaded images that wait; at least two for each thread */
    AHEAD_MOST = 512,       /* images */
    NAMED_MOST = 10         /* broken files that the log names one by one */
};

/* ---- what is there ---- */

/* Memory of the loader and, where 8-bit images fit the limit, of the cache: all of it counted before it is taken. */
static int prepare(struct maskdm_folder *d, int threads)
{
    size_t elements = (size_t)maskdm_dataset_elements(&d->base), one = elements * sizeof *d->picture, all;
    int64_t slots = (int64_t)(AHEAD_BYTES / one);

    if (slots > AHEAD_MOST)
        slots = AHEAD_MOST;
    if (slots < 2 * threads + 1)
        slots = 2 * threads + 1;
    MASKDM_TRY(maskdm_folder_count(d, &d->ahead, (size_t)slots * one, "images loaded ahead"));
    if (!maskdm_mul_size(&all, elements, (size_t)d->scan.count) && all <= d->limit) {
        MASKDM_TRY(maskdm_folder_count(d, &d->counted, all, "the image cache"));
        d->cache = maskdm_need((size_t)d->scan.count, sizeof *d->cache, "the image cache");
        if (!d->cache)
            return MASKDM_ENOMEM;
    }
    d->picture = maskdm_need(elements, sizeof *d->picture, "an image");
    if (!d->picture)
        return MASKDM_ENOMEM;
    return maskdm_loader_create(&d->loader, threads, slots, elements, maskdm_folder_load, d);
}

static void tally(struct maskdm_folder *d)
{
    d->base.count = d->scan.count;
    d->base.skipped = d->scan.broken + d->scan.unreadable;
    d->base.unlabelled = 0;
    for (int64_t i = 0; i < d->scan.count; i++)
        d->base.unlabelled += d->scan.file[i].label < 0;
}

/* Move what is marked as left out behind the others, in the list and in the cache. */
static void settle(struct maskdm_folder *d)
{
    int64_t n = 0, all = d->base.count;

    for (int64_t i = 0; i < all && d->cache; i++)
        if (!d->scan.file[i].left_out)
            d->cache[n++] = d->cache[i];
    if (d->cache) {
        memset(d->cache + n, 0, (size_t)(all - n) * sizeof *d->cache);
        maskdm_folder_uncount(d, &d->counted, (size_t)(all - n) * (size_t)maskdm_dataset_elements(&d->base));
    }
    maskdm_scan_settle(&d->scan);
    tally(d);
}

int maskdm_dataset_folder(maskdm_data **out, maskdm_device *device, const char *path, struct maskdm_scan *found,
                          const maskdm_options *options)
{
    double size[2] = {0};
    int r, sizes = maskdm_optionset_list(options, "image_size", size, 2);
    struct maskdm_folder *d;

    *out = NULL;
    MASKDM_TRY(maskdm_dataset_begin(&d, sizeof *d, &maskdm_folder_class, device, found->count, (int64_t)size[0],
                                    (int64_t)size[sizes > 1], (int)maskdm_optionset_int(options, "channels")));
    *out = &d->base;
    d->scan = *found;
    memset(found, 0, sizeof *found);
    d->base.files = &d->scan;
    d->base.labels = d->scan.labels;
    tally(d);
    d->limit = (size_t)maskdm_optionset_int(options, "cache_limit");
    d->path = maskdm_strdup(path);
    maskdm_remark_counts_begin(&d->remarks);
    r = d->path ? maskdm_reading_set(&d->reading, options, d->base.channels)
                : maskdm_fail_memory(strlen(path) + 1, "a file name");
    d->reading.height = d->base.height;
    d->reading.width = d->base.width;
    if (r >= 0)
        r = prepare(d, (int)maskdm_optionset_int(options, "loaders"));
    if (r < 0)
        maskdm_dataset_release(out);
    return r;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

void maskdm_dataset_tell_found(const struct maskdm_scan *found, const char *path, const struct maskdm_log *log)
{
    const struct maskdm_labels labels = {found->label, found->labels};
    struct maskdm_text names = {0};

    maskdm_labels_list(&labels, &names);
    if (!found->labels)
        maskdm_log_line(log, MASKDM_LOG_INFO, "found %lld image%s below %s, without labels", (long long)found->count,
                        plural(found->count), path);
    else if (names.data && !names.failed)
        maskdm_log_line(log, MASKDM_LOG_INFO, "found %lld image%s below %s, %lld label%s (%s)",
                        (long long)found->count, plural(found->count), path, (long long)found->labels,
                        plural(found->labels), names.data);
    maskdm_text_free(&names);
}

/* ---- reading ---- */

static int foretell_all(struct maskdm_folder *d)
{
    int64_t *all = maskdm_need((size_t)d->base.count, sizeof *all, "the list of images");
    int r;

    if (!all)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < d->base.count; i++)
        all[i] = i;
    r = maskdm_loader_expect(d->loader, all, d->base.count);
    maskdm_free(all);
    return r;
}

/* What reading came upon. */
struct finds {
    const struct maskdm_log *log;
    int64_t broken;
    struct maskdm_failure first;
};

/* What the loader said of image i. A broken one is marked; where the images are known it ends the reading. */
static int judge(struct maskdm_folder *d, int64_t i, const struct maskdm_failure *f, struct finds *found)
{
    if (f->code == MASKDM_ENOMEM || d->looking)
        return maskdm_failure_record(f);
    maskdm_log_line(found->log, found->broken < NAMED_MOST ? MASKDM_LOG_WARN : MASKDM_LOG_DEBUG, "left out: %s",
                    f->text);
    if (!found->broken++)
        found->first = *f;
    d->scan.file[i].left_out = 1;
    return MASKDM_OK;
}

static const char *path_at(const void *user, int64_t i)
{
    return ((const struct maskdm_folder *)user)->scan.file[i].path;
}

/* Take every image through the loader, in order, into the cache where there is one. */
static int take_all(struct maskdm_folder *d, struct finds *found, maskdm_control *control)
{
    int64_t count = d->base.count;
    double told = 0;

    MASKDM_TRY(foretell_all(d));
    for (int64_t i = 0; i < count; i++) {
        struct maskdm_failure f = {0};
        int bits;

        MASKDM_TRY(maskdm_control_reading(control, &told, i, count));
        if (maskdm_loader_take(d->loader, i, d->picture, &bits, &f) < 0)
            MASKDM_TRY(judge(d, i, &f, found));
        else if (!d->looking)
            MASKDM_TRY(maskdm_folder_keep(d, i, bits));
    }
    return maskdm_control_reading(control, &told, count, count);
}

/* A folder all of whose images are broken is a label all the same, which a network would have and never see. */
static int tell_empty_labels(const struct maskdm_folder *d, const struct maskdm_log *log)
{
    const struct maskdm_scan *s = &d->scan;
    unsigned char *seen = maskdm_need((size_t)s->labels + 1, 1, "a list of labels");
    int64_t empty = 0, first = 0;

    if (!seen)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < s->count; i++)
        seen[s->file[i].label + 1] = 1;
    for (int64_t i = s->labels - 1; i >= 0; i--)
        if (!seen[i + 1]) {
            first = i;
            empty++;
        }
    maskdm_free(seen);
    if (empty)
        maskdm_log_line(log, MASKDM_LOG_WARN, "%lld label%s without an image that can be read: %s%s",
                        (long long)empty, plural(empty), s->label[first], empty > 1 ? ", ..." : "");
    return MASKDM_OK;
}

int maskdm_dataset_read(maskdm_data *data, int known, const struct maskdm_log *log, maskdm_control *control)
{
    struct maskdm_folder *d = (struct maskdm_folder *)data;
    struct finds found = {.log = log};

    if (known && d->scan.broken)
        maskdm_log_line(log, MASKDM_LOG_WARN,
                        "left out as before: %lld file%s that cannot be read, the first is %s",
                        (long long)d->scan.broken, plural(d->scan.broken), d->scan.file[d->scan.count].path);
    d->looking = known;
    MASKDM_TRY(take_all(d, &found, control)); /* loader threads may be at work still, on a set that goes */
    d->looking = 0;
    maskdm_remark_counts_log(&d->remarks, log, path_at, d);
    if (found.broken > NAMED_MOST)
        maskdm_log_line(log, MASKDM_LOG_WARN, "left out: %lld files in all that could not be read, %d of them named",
                        (long long)found.broken, NAMED_MOST);
    if (found.broken == d->scan.count)
        return maskdm_fail(MASKDM_EINVAL,
                           "no readable image below \"%s\": %lld file%s tried, the first failed with: %s", d->path,
                           (long long)d->scan.count, plural(d->scan.count), found.first.text);
    settle(d);
    maskdm_folder_settle(d);
    return tell_empty_labels(d, log);
}

int maskdm_dataset_mark(maskdm_data *data, maskdm_control *control)
{
    struct maskdm_folder *d = (struct maskdm_folder *)data;

    if (data->kind != &maskdm_folder_class || d->scan.digest)
        return MASKDM_OK;
    return maskdm_scan_mark_all(&d->scan, control);
}
