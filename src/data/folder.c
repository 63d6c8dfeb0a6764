/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder of images. All are decoded once when it is opened, which finds the broken ones. Where they fit the cache
 * they stay, in the depth that they have; otherwise the loader goes on decoding, ahead of the reader. Both ways hand
 * out the same samples.
 */
#include "data/data.h"

#include "backend/device.h"
#include "data/loader.h"
#include "data/scan.h"
#include "io/image.h"
#include "util/alloc.h"
#include "util/checked.h"
#include "util/option.h"

#include <string.h>

enum {
    AHEAD_BYTES = 16 << 20, /* of loaded images that wait; at least two for each thread */
    AHEAD_MOST = 512,       /* images */
    NAMED_MOST = 10         /* broken files that the log names one by one */
};

struct cached {
    void *samples; /* u8 or u16, NULL: broken or not cached */
    int bits;
};

struct folder {
    maskdm_data base;
    struct maskdm_scan scan;
    float background[4];
    struct maskdm_loader *loader; /* NULL once everything is cached */
    struct cached *cache;         /* NULL: images are streamed */
    uint16_t *picture;            /* one image, for the reading thread */
    size_t counted, ahead;        /* bytes at the device: images, loader */
};

static int load(void *user, int64_t index, uint16_t *samples, int *bits, struct maskdm_failure *f)
{
    struct folder *d = user;
    const char *path = d->scan.file[index].path;
    maskdm_image *whole, *fitted;
    int r;

    MASKDM_TRY(maskdm_picture_read(&whole, path, d->base.channels, d->background, f));
    r = maskdm_picture_fit(&fitted, whole, d->base.height, d->base.width, f);
    maskdm_picture_free(&whole);
    if (r < 0)
        return r;
    memcpy(samples, fitted->sample, (size_t)maskdm_dataset_elements(&d->base) * sizeof *samples);
    *bits = fitted->bits;
    maskdm_picture_free(&fitted);
    return MASKDM_OK;
}

static int count_bytes(struct folder *d, size_t *counter, size_t bytes, const char *what)
{
    if (d->base.device)
        MASKDM_TRY(maskdm_device_take(d->base.device, bytes, what));
    *counter += bytes;
    return MASKDM_OK;
}

static void uncount_bytes(struct folder *d, size_t *counter, size_t bytes)
{
    if (d->base.device && bytes)
        maskdm_device_give(d->base.device, bytes);
    *counter -= bytes;
}

static void drop_cache(struct folder *d)
{
    for (int64_t i = 0; d->cache && i < d->scan.count; i++)
        maskdm_free(d->cache[i].samples);
    maskdm_free(d->cache);
    d->cache = NULL;
    uncount_bytes(d, &d->counted, d->counted);
}

static void drop_loader(struct folder *d)
{
    maskdm_loader_release(&d->loader);
    uncount_bytes(d, &d->ahead, d->ahead);
}

static int get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct folder *d = (struct folder *)data;
    int64_t n = maskdm_dataset_elements(data);
    const uint16_t *wide = d->picture;
    struct maskdm_failure f = {0};
    int bits;

    *label = d->scan.file[i].label;
    if (d->cache && d->cache[i].bits == 8) {
        const unsigned char *narrow = d->cache[i].samples;

        for (int64_t k = 0; k < n; k++)
            image[k] = (float)(narrow[k] * 257) / 65535.0f;
        return MASKDM_OK;
    }
    if (d->cache)
        wide = d->cache[i].samples;
    else if (maskdm_loader_take(d->loader, i, d->picture, &bits, &f) < 0)
        return maskdm_failure_record(&f);
    for (int64_t k = 0; k < n; k++)
        image[k] = (float)wide[k] / 65535.0f;
    return MASKDM_OK;
}

static int expect(maskdm_data *data, const int64_t *index, int64_t n)
{
    struct folder *d = (struct folder *)data;

    return d->loader ? maskdm_loader_expect(d->loader, index, n) : MASKDM_OK;
}

static const char *path_of(const maskdm_data *data, int64_t i)
{
    return ((const struct folder *)data)->scan.file[i].path;
}

static const char *label_name(const maskdm_data *data, int64_t i)
{
    return ((const struct folder *)data)->scan.label[i];
}

static void finish(maskdm_data *data)
{
    struct folder *d = (struct folder *)data;

    drop_loader(d);
    drop_cache(d);
    maskdm_free(d->picture);
    maskdm_scan_free(&d->scan);
}

static const struct maskdm_dataset_class kind = {
    .get = get, .expect = expect, .path = path_of, .label_name = label_name, .close = finish};

/* Put image i, which stands in d->picture, into the cache; a cache that outgrows its limit is given up. */
static int keep(struct folder *d, int64_t i, int bits, size_t limit)
{
    size_t n = (size_t)maskdm_dataset_elements(&d->base), bytes = bits == 8 ? n : n * sizeof *d->picture;

    if (!d->cache)
        return MASKDM_OK;
    if (bits != 8) { /* counted as 8 bits so far */
        if (d->counted > limit || n > limit - d->counted) {
            drop_cache(d);
            return MASKDM_OK;
        }
        MASKDM_TRY(count_bytes(d, &d->counted, n, "the image cache"));
    }
    d->cache[i].samples = maskdm_malloc(bytes);
    if (!d->cache[i].samples)
        return maskdm_fail_memory(bytes, "the image cache");
    d->cache[i].bits = bits;
    if (bits == 8) {
        unsigned char *to = d->cache[i].samples;

        for (size_t k = 0; k < n; k++)
            to[k] = (unsigned char)(d->picture[k] / 257);
    } else {
        memcpy(d->cache[i].samples, d->picture, bytes);
    }
    return MASKDM_OK;
}

/* Decode every file in order and mark the broken ones. */
static int decode_all(struct folder *d, const char *path, size_t limit, const struct maskdm_log *log)
{
    struct maskdm_failure f = {0}, first = {0};
    int64_t *all = maskdm_need((size_t)d->scan.count, sizeof *all, "the list of images");
    int bits, r;

    if (!all)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < d->scan.count; i++)
        all[i] = i;
    r = maskdm_loader_expect(d->loader, all, d->scan.count);
    maskdm_free(all);
    for (int64_t i = 0; i < d->scan.count && r >= 0; i++) {
        r = maskdm_loader_take(d->loader, i, d->picture, &bits, &f);
        if (r >= 0) {
            r = keep(d, i, bits, limit);
        } else if (r == MASKDM_ENOMEM) {
            maskdm_failure_record(&f);
        } else {
            maskdm_log_line(log, d->base.skipped < NAMED_MOST ? MASKDM_LOG_WARN : MASKDM_LOG_DEBUG, "left out: %s",
                            f.text);
            if (!d->base.skipped++)
                first = f;
            d->scan.file[i].left_out = 1;
            r = MASKDM_OK;
        }
    }
    if (r >= 0 && d->base.skipped > NAMED_MOST)
        maskdm_log_line(log, MASKDM_LOG_WARN, "left out: %lld files in all that could not be read, %d of them named",
                        (long long)d->base.skipped, NAMED_MOST);
    if (r >= 0 && d->base.skipped == d->scan.count)
        r = maskdm_fail(MASKDM_EINVAL, "no readable image below \"%s\": %lld files tried, the first failed with: %s",
                        path, (long long)d->scan.count, first.text);
    return r;
}

/* Close the gaps that broken files left. */
static void compact(struct folder *d)
{
    int64_t n = 0;
    size_t elements = (size_t)maskdm_dataset_elements(&d->base);

    for (int64_t i = 0; i < d->scan.count && d->cache; i++)
        if (!d->scan.file[i].left_out)
            d->cache[n++] = d->cache[i];
    if (d->cache)
        uncount_bytes(d, &d->counted, (size_t)(d->scan.count - n) * elements);
    maskdm_scan_settle(&d->scan);
    d->base.count = d->scan.count;
    d->base.skipped += d->scan.unreadable;
}

/* Memory of the loader and, where 8-bit images fit the limit, of the cache: all of it counted before it is taken. */
static int prepare(struct folder *d, int threads, size_t limit)
{
    size_t elements = (size_t)maskdm_dataset_elements(&d->base), one = elements * sizeof *d->picture, all;
    int64_t slots = (int64_t)(AHEAD_BYTES / one);

    if (slots > AHEAD_MOST)
        slots = AHEAD_MOST;
    if (slots < 2 * threads + 1)
        slots = 2 * threads + 1;
    MASKDM_TRY(count_bytes(d, &d->ahead, (size_t)slots * one, "images loaded ahead"));
    if (!maskdm_mul_size(&all, elements, (size_t)d->scan.count) && all <= limit) {
        MASKDM_TRY(count_bytes(d, &d->counted, all, "the image cache"));
        d->cache = maskdm_need((size_t)d->scan.count, sizeof *d->cache, "the image cache");
        if (!d->cache)
            return MASKDM_ENOMEM;
    }
    d->picture = maskdm_need(elements, sizeof *d->picture, "an image");
    if (!d->picture)
        return MASKDM_ENOMEM;
    return maskdm_loader_create(&d->loader, threads, slots, elements, load, d);
}

/* One value stands for all channels. */
static int read_background(struct folder *d, const maskdm_options *options)
{
    double value[4] = {1};
    int colours = d->base.channels - !(d->base.channels % 2);
    int n = maskdm_optionset_list(options, "background", value, 4);

    if (n > 1 && n != colours)
        return maskdm_fail(MASKDM_EINVAL, "%s has %d values, images of %d channels have %d colours",
                           maskdm_optionset_said(options, "background"), n, d->base.channels, colours);
    for (int c = 0; c < 4; c++)
        d->background[c] = (float)value[n > 1 ? c : 0];
    return MASKDM_OK;
}

int maskdm_dataset_folder(maskdm_data **out, maskdm_device *device, const char *path, const maskdm_options *options,
                          const struct maskdm_scan_except *except, const struct maskdm_log *log)
{
    int threads = (int)maskdm_optionset_int(options, "loaders");
    size_t limit = (size_t)maskdm_optionset_int(options, "cache_limit");
    double size[2] = {0};
    int r, sizes = maskdm_optionset_list(options, "image_size", size, 2);
    struct folder *d;

    *out = NULL;
    MASKDM_TRY(maskdm_dataset_begin(&d, sizeof *d, &kind, device, 1, (int64_t)size[0], (int64_t)size[sizes > 1],
                                    (int)maskdm_optionset_int(options, "channels")));
    *out = &d->base;
    r = read_background(d, options);
    if (r >= 0)
        r = maskdm_scan_folder(&d->scan, path, except, log);
    d->base.files = &d->scan;
    d->base.labels = d->scan.labels;
    if (r >= 0)
        r = prepare(d, threads, limit);
    if (r >= 0)
        r = decode_all(d, path, limit, log);
    if (r >= 0 && d->cache)
        drop_loader(d);
    if (r >= 0)
        compact(d);
    else
        maskdm_dataset_release(out);
    return r;
}
