/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder of images in use. Where they fit the cache they stay there, in the depth that they have; otherwise the
 * loader goes on decoding, ahead of the reader. Both ways hand out the same samples. An image that is not in the
 * cache yet comes through the loader the first time it is asked for.
 */
#include "data/folder_private.h"

#include "backend/device.h"
#include "base/alloc.h"
#include "data/samples.h"
#include "data/source.h"

#include <string.h>

int mdm_folder_load(void *user, int64_t index, uint16_t *samples, int *bits)
{
    struct mdm_folder *d = user;
    maskdm_image *fitted;

    *bits = 0;
    if (d->looking)
        return mdm_source_probe(&d->scan, index);
    MDM_TRY(mdm_source_image(&fitted, &d->scan, index, &d->reading));
    mdm_remark_counts_add(&d->remarks, index, &fitted->remarks);
    mdm_forms_add(&d->forms, &fitted->stored, 1);
    memcpy(samples, fitted->sample, (size_t)mdm_data_stored(&d->base) * sizeof *samples);
    *bits = fitted->bits;
    mdm_image_free(&fitted);
    return MASKDM_OK;
}

int mdm_folder_count(struct mdm_folder *d, size_t *counter, size_t bytes, const char *what)
{
    if (d->base.device)
        MDM_TRY(mdm_device_take(d->base.device, bytes, what));
    *counter += bytes;
    return MASKDM_OK;
}

void mdm_folder_uncount(struct mdm_folder *d, size_t *counter, size_t bytes)
{
    if (d->base.device && bytes)
        mdm_device_give(d->base.device, bytes);
    *counter -= bytes;
}

/* ---- the cache ---- */

static void drop_cache(struct mdm_folder *d)
{
    for (int64_t i = 0; d->cache && i < d->scan.count; i++)
        mdm_free(d->cache[i].samples);
    mdm_free(d->cache);
    d->cache = NULL;
    d->cached = 0;
    mdm_folder_uncount(d, &d->counted, d->counted);
}

static void drop_loader(struct mdm_folder *d)
{
    mdm_loader_release(&d->loader);
    mdm_folder_uncount(d, &d->ahead, d->ahead);
}

void mdm_folder_settle(struct mdm_folder *d)
{
    if (d->cached == d->base.count)
        drop_loader(d);
}

/* The bytes of one image in the cache, of which 8 bits a sample are counted from the start; NULL and MASKDM_OK when
 * the cache had to be given up. */
static int take_place(struct mdm_folder *d, void **samples, int bits)
{
    size_t n = (size_t)mdm_data_stored(&d->base), bytes = bits == 8 ? n : n * sizeof *d->picture;

    *samples = NULL;
    if (bits != 8) {
        if (d->counted > d->limit || n > d->limit - d->counted) {
            drop_cache(d);
            return MASKDM_OK;
        }
        MDM_TRY(mdm_folder_count(d, &d->counted, n, "the image cache"));
    }
    *samples = mdm_malloc(bytes);
    if (*samples)
        return MASKDM_OK;
    if (bits != 8)
        mdm_folder_uncount(d, &d->counted, n);
    return mdm_fail_memory(bytes, "the image cache");
}

int mdm_folder_keep(struct mdm_folder *d, int64_t i, int bits)
{
    size_t n = (size_t)mdm_data_stored(&d->base);
    void *samples;

    if (!d->cache)
        return MASKDM_OK;
    MDM_TRY(take_place(d, &samples, bits));
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

static int is_cached(const struct mdm_folder *d, int64_t i)
{
    return d->cache && d->cache[i].samples;
}

/* ---- the class ---- */

static int get_in_place(struct mdm_folder *d, int64_t i, float *image)
{
    const size_t n = (size_t)mdm_data_stored(&d->base);

    MDM_TRY(d->scan.kind->samples(&d->scan, i, d->picture));
    if (d->scan.samples.bits == 8)
        mdm_samples_u8(image, (const unsigned char *)d->picture, n);
    else
        mdm_samples_u16(image, d->picture, n);
    return MASKDM_OK;
}

static int get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct mdm_folder *d = (struct mdm_folder *)data;
    int64_t n = mdm_data_stored(data);
    const uint16_t *wide = d->picture;
    int bits, fresh = !is_cached(d, i);

    *label = d->scan.file[i].label;
    if (d->in_place)
        return get_in_place(d, i, image);
    if (!fresh && d->cache[i].bits == 8) {
        mdm_samples_u8(image, d->cache[i].samples, (size_t)n);
        return MASKDM_OK;
    }
    if (!fresh)
        wide = d->cache[i].samples;
    else
        MDM_TRY(mdm_loader_take(d->loader, i, d->picture, &bits));
    mdm_samples_u16(image, wide, (size_t)n);
    if (!fresh)
        return MASKDM_OK;
    MDM_TRY(mdm_folder_keep(d, i, bits));
    mdm_folder_settle(d);
    return MASKDM_OK;
}

/* The loader hears of those that are not in the cache. */
static int expect(maskdm_data *data, const int64_t *index, int64_t n)
{
    struct mdm_folder *d = (struct mdm_folder *)data;
    int64_t wanted = 0;

    if (!d->loader || !d->cache)
        return d->loader ? mdm_loader_expect(d->loader, index, n) : MASKDM_OK;
    MDM_TRY(mdm_data_scratch(&d->wanted, &d->wanted_length, n));
    for (int64_t i = 0; i < n; i++)
        if (!is_cached(d, index[i]))
            d->wanted[wanted++] = index[i];
    return mdm_loader_expect(d->loader, d->wanted, wanted);
}

static const char *path_of(const maskdm_data *data, int64_t i)
{
    return data->files ? ((const struct mdm_folder *)data)->scan.file[i].path : NULL;
}

static const char *label_name(const maskdm_data *data, int64_t i)
{
    const struct mdm_scan *s = &((const struct mdm_folder *)data)->scan;

    return i < s->labels ? s->label[i] : NULL;
}

static void finish(maskdm_data *data)
{
    struct mdm_folder *d = (struct mdm_folder *)data;

    drop_loader(d);
    drop_cache(d);
    mdm_free(d->picture);
    mdm_free(d->wanted);
    mdm_free(d->path);
    mdm_remark_counts_end(&d->remarks);
    mdm_forms_end(&d->forms);
    mdm_scan_free(&d->scan);
}

const struct mdm_data_class mdm_folder_class = {
    .get = get, .expect = expect, .path = path_of, .label_name = label_name, .close = finish, .in_turn = 1};
