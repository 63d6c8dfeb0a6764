/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all data sets share: references, and the batch of a training step as a function of (seed, step).
 */
#include "data/data.h"

#include "backend/device.h"
#include "base/alloc.h"
#include "base/checked.h"
#include "base/maker.h"
#include "base/rng.h"
#include "data/shares.h"

static void destroy(void *object)
{
    maskdm_data *d = object;

    if (d->kind->close)
        d->kind->close(d);
    if (d->device)
        mdm_device_drop(&d->device);
    if (mdm_maker_is_here(d->handle.process))
        (void)pthread_mutex_destroy(&d->turn);
    mdm_free(d->shares);
    mdm_free(d->order);
    mdm_free(d->room);
    mdm_free(d);
}

static const struct mdm_handle_kind handle_kind = {"data set", destroy};

int mdm_data_begin(void *out, size_t bytes, const struct mdm_data_class *kind, maskdm_device *device, int64_t count,
                   int64_t height, int64_t width, int channels)
{
    int64_t elements;
    maskdm_data *d;

    *(void **)out = NULL;
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "a data set of %lld images", (long long)count);
    if (height < 1 || width < 1 || channels < 1 || channels > 4 || mdm_mul_i64(&elements, height, width) ||
        mdm_mul_i64(&elements, elements, 4 * (int64_t)sizeof(float)))
        return mdm_fail(MASKDM_EINVAL, "images of %lld x %lld x %d: sides are at least 1, channels 1 to 4",
                        (long long)height, (long long)width, channels);
    d = mdm_need(1, bytes, "a data set");
    if (!d)
        return MASKDM_ENOMEM;
    d->kind = kind;
    mdm_handle_init(&d->handle, &handle_kind);
    (void)pthread_mutex_init(&d->turn, NULL); /* with default attributes it cannot fail */
    d->device = device;
    if (device)
        mdm_device_hold(device);
    d->count = count;
    d->unlabelled = -1;
    d->height = height;
    d->width = width;
    d->channels = channels;
    *(void **)out = d;
    return MASKDM_OK;
}

void mdm_data_hold(maskdm_data *data)
{
    mdm_handle_hold(&data->handle);
}

void mdm_data_release(maskdm_data **data)
{
    maskdm_data *d = *data;

    *data = NULL;
    if (d)
        mdm_handle_drop(&d->handle);
}

int64_t mdm_data_elements(const maskdm_data *data)
{
    return data->height * data->width * data->channels;
}

int64_t mdm_data_stored(const maskdm_data *data)
{
    return (data->height + data->margin_height) * (data->width + data->margin_width) * data->channels;
}

void mdm_data_set_margin(maskdm_data *data, int64_t height, int64_t width)
{
    data->margin_height = height;
    data->margin_width = width;
    data->height -= height;
    data->width -= width;
}

/* No lock is held while the host's own function runs: its kind is not read in turn. */
static void begin_turn(maskdm_data *data)
{
    if (data->kind->in_turn)
        (void)pthread_mutex_lock(&data->turn);
}

static void end_turn(maskdm_data *data)
{
    if (data->kind->in_turn)
        (void)pthread_mutex_unlock(&data->turn);
}

/* Once for all images of a call, since it asks the system, which takes a fifth of what an image of 32 x 32 does. */
static int check_maker(const maskdm_data *data)
{
    return mdm_maker_check(data->handle.process, "the data set");
}

int mdm_data_get_stored(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    int32_t l = -1;
    int r;

    if (i < 0 || i >= data->count)
        return mdm_fail(MASKDM_EINVAL, "image %lld of a data set that holds %lld", (long long)i,
                        (long long)data->count);
    begin_turn(data);
    r = data->kind->get(data, i, image, &l);
    end_turn(data);
    if (r >= 0 && label)
        *label = l;
    return r < 0 ? r : MASKDM_OK;
}

static struct mdm_raster shape_of(const maskdm_data *data)
{
    return (struct mdm_raster){data->height, data->width, data->channels};
}

static int has_margin(const maskdm_data *data)
{
    return data->margin_height || data->margin_width;
}

static int need_room(maskdm_data *data)
{
    if (!data->room)
        data->room = mdm_need((size_t)mdm_data_stored(data), sizeof *data->room, "an image");
    return data->room ? MASKDM_OK : MASKDM_ENOMEM;
}

int mdm_data_get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    MDM_TRY(check_maker(data));
    if (!has_margin(data))
        return mdm_data_get_stored(data, i, image, label);
    MDM_TRY(need_room(data));
    MDM_TRY(mdm_data_get_stored(data, i, data->room, label));
    mdm_augment_window(image, data->room, shape_of(data), data->margin_width, data->margin_height / 2,
                       data->margin_width / 2);
    return MASKDM_OK;
}

/* Image i as it stands at a position of the stream. */
static int get_at(maskdm_data *data, int64_t i, const struct mdm_augment *how, uint64_t seed, int64_t position,
                  float *image, int32_t *label)
{
    int64_t top, left;

    if (has_margin(data)) {
        MDM_TRY(mdm_data_get_stored(data, i, data->room, label));
        mdm_augment_draw_window(&top, &left, data->margin_height, data->margin_width, seed, position);
        mdm_augment_window(image, data->room, shape_of(data), data->margin_width, top, left);
    } else {
        MDM_TRY(mdm_data_get_stored(data, i, image, label));
    }
    mdm_augment_image(image, data->room, shape_of(data), how, seed, position);
    return MASKDM_OK;
}

int mdm_data_expect(maskdm_data *data, const int64_t *index, int64_t n)
{
    int r;

    if (!data->kind->expect)
        return MASKDM_OK;
    begin_turn(data);
    r = data->kind->expect(data, index, n);
    end_turn(data);
    return r;
}

int mdm_data_scratch(int64_t **scratch, int64_t *length, int64_t n)
{
    int64_t *grown;

    if (n <= *length)
        return MASKDM_OK;
    grown = mdm_need((size_t)n, sizeof *grown, "the order of a batch");
    if (!grown)
        return MASKDM_ENOMEM;
    mdm_free(*scratch);
    *scratch = grown;
    *length = n;
    return MASKDM_OK;
}

/* The images at positions first .. first + n of the endless stream: each epoch is a permutation of its own, so
 * none is dropped where one epoch ends and the next begins inside a batch. */
static int draw_order(maskdm_data *d, uint64_t seed, uint64_t first, int64_t n)
{
    uint64_t count = (uint64_t)d->count;

    MDM_TRY(mdm_data_scratch(&d->order, &d->order_length, n));
    if (!d->shared)
        MDM_TRY(mdm_shares_create(&d->shares, d));
    d->shared = 1;
    for (int64_t b = 0; b < n; b++) {
        uint64_t p = first + (uint64_t)b;

        d->order[b] = d->shares ? mdm_shares_draw(d->shares, seed, p)
                                : (int64_t)mdm_rng_permute(seed, MDM_DRAW_ORDER, p / count, p % count, count);
    }
    return MASKDM_OK;
}

int mdm_data_batch_at(maskdm_data *data, uint64_t seed, int64_t first, int64_t batch, const struct mdm_augment *how,
                      float *images, int32_t *labels)
{
    int64_t twice, end, elements = mdm_data_elements(data), size;

    if (first < 0 || batch < 1 || mdm_mul_i64(&twice, batch, 2) || mdm_add_i64(&end, first, twice) ||
        mdm_mul_i64(&size, batch, elements))
        return mdm_fail(MASKDM_EINVAL, "a batch of %lld images behind %lld", (long long)batch, (long long)first);
    if (!(how->flip >= 0 && how->flip <= 1))
        return mdm_fail(MASKDM_EINVAL, "flip is %g: a probability is 0 to 1", how->flip);
    MDM_TRY(check_maker(data));
    if (has_margin(data) || how->shift || how->turn > 0)
        MDM_TRY(need_room(data));
    /* Twice the batch: what the next step will ask for is loaded while this one runs. */
    MDM_TRY(draw_order(data, seed, (uint64_t)first, twice));
    MDM_TRY(mdm_data_expect(data, data->order, twice));
    for (int64_t b = 0; b < batch; b++) {
        float *image = images + b * elements;

        MDM_TRY(get_at(data, data->order[b], how, seed, first + b, image, labels ? labels + b : NULL));
        for (int64_t i = 0; i < elements; i++)
            image[i] = image[i] * 2 - 1;
    }
    return MASKDM_OK;
}

int mdm_data_batch(maskdm_data *data, uint64_t seed, int64_t step, int64_t batch, double flip, float *images,
                   int32_t *labels)
{
    const struct mdm_augment how = {.flip = flip};
    int64_t first;

    if (step < 0 || batch < 1 || mdm_mul_i64(&first, step, batch))
        return mdm_fail(MASKDM_EINVAL, "step %lld of batches of %lld images", (long long)step, (long long)batch);
    return mdm_data_batch_at(data, seed, first, batch, &how, images, labels);
}
