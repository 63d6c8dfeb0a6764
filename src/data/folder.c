/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder of images in use. Where they fit the cache they stay there, in the depth that they have; otherwise the
 * loader goes on decoding, ahead of the reader. Both ways hand out the same samples. An image that is not in the
 * cache yet comes through the loader the first time it is asked for.
 */
#include "data/folder_private.h"

#include "backend/device.h"
#include "io/image.h"
#include "util/alloc.h"

#include <string.h>

int maskdm_folder_load(void *user, int64_t index, uint16_t *samples, int *bits, struct maskdm_failure *f)
{
    struct maskdm_folder *d = user;
    const char *path = d->scan.file[index].path;
    maskdm_image *fitted;

    *bits = 0;
    if (d->looking)
        return maskdm_picture_probe(path, f);
    MASKDM_TRY(maskdm_picture_read(&fitted, path, &d->reading, f));
    maskdm_remark_counts_add(&d->remarks, index, &fitted->remarks);
    memcpy(samples, fitted->sample, (size_t)maskdm_dataset_elements(&d->base) * sizeof *samples);
    *bits = fitted->bits;
    maskdm_picture_free(&fitted);
    return MASKDM_OK;
}

int maskdm_folder_count(struct maskdm_folder *d, size_t *counter, size_t bytes, const char *what)
{
    if (d->base.device)
        MASKDM_TRY(maskdm_device_take(d->base.device, bytes, what));
    *counter += bytes;
    return MASKDM_OK;
}

void maskdm_folder_uncount(struct maskdm_folder *d, size_t *counter, size_t bytes)
{
    if (d->base.device && bytes)
        maskdm_device_give(d->base.device, bytes);
    *counter -= bytes;
}

/* ---- the cache ---- */

static void drop_cache(struct maskdm_folder *d)
{
    for (int64_t i = 0; d->cache && i < d->scan.count; i++)
        maskdm_free(d->cache[i].samples);
    maskdm_free(d->cache);
    d->cache = NULL;
    d->cached = 0;
    maskdm_folder_uncount(d, &d->counted, d->counted);
}

static void drop_loader(struct maskdm_folder *d)
{
    maskdm_loader_release(&d->loader);
    maskdm_folder_uncount(d, &d->ahead, d->ahead);
}

void maskdm_folder_settle(struct maskdm_folder *d)
{
    if (d->cached == d->base.count)
        drop_loader(d);
}

/* The bytes of one image in the cache, of which 8 bits a sample are counted from the start; NULL and MASKDM_OK when
 * the cache had to be given up. */
static int take_place(struct maskdm_folder *d, void **samples, int bits)
{
    size_t n = (size_t)maskdm_dataset_elements(&d->base), bytes = bits == 8 ? n : n * sizeof *d->picture;

    *samples = NULL;
    if (bits != 8) {
        if (d->counted > d->limit || n > d->limit - d->counted) {
            drop_cache(d);
            return MASKDM_OK;
        }
        MASKDM_TRY(maskdm_folder_count(d, &d->counted, n, "the image cache"));
    }
    *samples = maskdm_malloc(bytes);
    if (*samples)
        return MASKDM_OK;
    if (bits != 8)
        maskdm_folder_uncount(d, &d->counted, n);
    return maskdm_fail_memory(bytes, "the image cache");
}

int maskdm_folder_keep(struct maskdm_folder *d, int64_t i, int bits)
{
    size_t n = (size_t)maskdm_dataset_elements(&d->base);
    void *samples;

    if (!d->cache)
        return MASKDM_OK;
    MASKDM_TRY(take_place(d, &samples, bits));
    if (!samples)
        return MASKDM_OK;
    if (bits == 8) {
        unsigned char *to = samples;

        for (size_t k = 0; k < n; k++)
            to[k] = (unsigned char)(d->picture[k] / 257);
    } else {
        memcpy(samples, d->picture, n * sizeof *d->picture);
    }
    d->cache[i].samples = samples;
    d->cache[i].bits = bits;
    d->cached++;
    return MASKDM_OK;
}

static int is_cached(const struct maskdm_folder *d, int64_t i)
{
    return d->cache && d->cache[i].samples;
}

/* ---- the class ---- */

static int get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct maskdm_folder *d = (struct maskdm_folder *)data;
    int64_t n = maskdm_dataset_elements(data);
    const uint16_t *wide = d->picture;
    struct maskdm_failure f = {0};
    int bits, fresh = !is_cached(d, i);

    *label = d->scan.file[i].label;
    if (!fresh && d->cache[i].bits == 8) {
        const unsigned char *narrow = d->cache[i].samples;

        for (int64_t k = 0; k < n; k++)
            image[k] = (float)(narrow[k] * 257) / 65535.0f;
        return MASKDM_OK;
    }
    if (!fresh)
        wide = d->cache[i].samples;
    else if (maskdm_loader_take(d->loader, i, d->picture, &bits, &f) < 0)
        return maskdm_failure_record(&f);
    for (int64_t k = 0; k < n; k++)
        image[k] = (float)wide[k] / 65535.0f;
    if (!fresh)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_folder_keep(d, i, bits));
    maskdm_folder_settle(d);
    return MASKDM_OK;
}

/* The loader hears of those that are not in the cache. */
static int expect(maskdm_data *data, const int64_t *index, int64_t n)
{
    struct maskdm_folder *d = (struct maskdm_folder *)data;
    int64_t wanted = 0;

    if (!d->loader || !d->cache)
        return d->loader ? maskdm_loader_expect(d->loader, index, n) : MASKDM_OK;
    MASKDM_TRY(maskdm_dataset_scratch(&d->wanted, &d->wanted_length, n));
    for (int64_t i = 0; i < n; i++)
        if (!is_cached(d, index[i]))
            d->wanted[wanted++] = index[i];
    return maskdm_loader_expect(d->loader, d->wanted, wanted);
}

static const char *path_of(const maskdm_data *data, int64_t i)
{
    return ((const struct maskdm_folder *)data)->scan.file[i].path;
}

static const char *label_name(const maskdm_data *data, int64_t i)
{
    return ((const struct maskdm_folder *)data)->scan.label[i];
}

static void finish(maskdm_data *data)
{
    struct maskdm_folder *d = (struct maskdm_folder *)data;

    drop_loader(d);
    drop_cache(d);
    maskdm_free(d->picture);
    maskdm_free(d->wanted);
    maskdm_free(d->path);
    maskdm_remark_counts_end(&d->remarks);
    maskdm_scan_free(&d->scan);
}

const struct maskdm_dataset_class maskdm_folder_class = {
    .get = get, .expect = expect, .path = path_of, .label_name = label_name, .close = finish, .in_turn = 1};
