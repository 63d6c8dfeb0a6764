/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nearest images by the squared difference of pixels of 8 bits, fitted to the size of what is drawn as training fits
 * them. What is transparent has no colour: colours count as far as they are seen. Sums are of whole numbers, so that
 * neither threads nor groups change them; of two that are equally near the first is taken.
 */
#include "sample/nearest.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/source.h"
#include "image/codec.h"

#include <math.h>
#include <string.h>

enum {
    GROUP = 64, /* images of the set that are in memory at once */
    RUN = 65536 /* squares of up to 255 x 255 */
};

struct mdm_nearest {
    const maskdm_sampler *sampler;
    struct mdm_scan scan;
    struct mdm_reading how;
    int64_t count, values, pixels; /* of an image */
    int channels;
    unsigned char *drawn;   /* [count,values], colours times alpha */
    unsigned char *beside;  /* [count,values], the nearest so far */
    unsigned char *group;   /* [GROUP,values] */
    unsigned char *weighed; /* the same with colours times alpha */
    unsigned char read[GROUP];
    uint64_t *distance;    /* [count]; UINT64_MAX: nothing is beside it */
    int64_t *place;        /* [count], in the scan */
    int64_t first, unread; /* of the group; images that could not be read */
    maskdm_image *image;
};

static void weigh(const struct mdm_nearest *n, unsigned char *out, const unsigned char *in)
{
    const int c = n->channels;

    memcpy(out, in, (size_t)n->values);
    for (int64_t p = 0; c % 2 == 0 && p < n->pixels; p++)
        for (int k = 0; k < c - 1; k++)
            out[p * c + k] = (unsigned char)((in[p * c + k] * in[p * c + c - 1] + 127) / 255);
}

static void take(const struct mdm_nearest *n, unsigned char *out, const maskdm_image *image)
{
    for (int64_t k = 0; k < n->values; k++)
        out[k] = mdm_sample_to_u8(image->sample[k]);
}

static int prepare(struct mdm_nearest *n, const char *path)
{
    const struct mdm_geometry *g = &n->sampler->geometry;
    const size_t values = (size_t)n->values, count = (size_t)n->count;

    MDM_TRY(mdm_source_find(&n->scan, path, NULL, mdm_control_log(n->sampler->control), n->sampler->control));
    MDM_TRY(mdm_image_create(&n->image, g->height, g->width, n->channels));
    n->image->bits = 8;
    n->drawn = mdm_need(count, values, "drawn images");
    n->beside = mdm_need(count, values, "nearest images");
    n->group = mdm_need(GROUP, values, "images to compare with");
    n->weighed = mdm_need(GROUP, values, "images to compare with");
    n->distance = mdm_need(count, sizeof *n->distance, "distances");
    n->place = mdm_need(count, sizeof *n->place, "nearest images");
    if (!n->drawn || !n->beside || !n->group || !n->weighed || !n->distance || !n->place)
        return MASKDM_ENOMEM;
    memset(n->distance, 0xff, count * sizeof *n->distance);
    return MASKDM_OK;
}

int mdm_nearest_open(struct mdm_nearest **out, const maskdm_sampler *s, const char *path, int64_t count)
{
    const struct mdm_geometry *g = &s->geometry;
    struct mdm_nearest *n = *out = mdm_need(1, sizeof *n, "nearest images");
    int status;

    if (!n)
        return MASKDM_ENOMEM;
    *n = (struct mdm_nearest){.sampler = s,
                              .how = mdm_reading_standard,
                              .count = count,
                              .pixels = g->height * g->width,
                              .values = g->height * g->width * g->channels,
                              .channels = (int)g->channels};
    n->how.channels = n->channels;
    n->how.height = g->height;
    n->how.width = g->width;
    status = prepare(n, path);
    if (status < 0)
        mdm_nearest_close(out);
    return status;
}

void mdm_nearest_close(struct mdm_nearest **out)
{
    struct mdm_nearest *n = *out;

    *out = NULL;
    if (!n)
        return;
    mdm_scan_free(&n->scan);
    mdm_image_free(&n->image);
    mdm_free(n->drawn);
    mdm_free(n->beside);
    mdm_free(n->group);
    mdm_free(n->weighed);
    mdm_free(n->distance);
    mdm_free(n->place);
    mdm_free(n);
}

void mdm_nearest_keep(struct mdm_nearest *n, int64_t i, const maskdm_image *image)
{
    take(n, n->group, image);
    weigh(n, n->drawn + i * n->values, n->group);
}

static int read_one(void *user, int64_t k, int worker)
{
    struct mdm_nearest *n = user;
    maskdm_image *image;
    const int status = mdm_source_image(&image, &n->scan, n->first + k, &n->how);

    (void)worker;
    n->read[k] = status >= 0;
    if (status < 0)
        return status == MASKDM_ENOMEM ? status : MASKDM_OK;
    take(n, n->group + k * n->values, image);
    weigh(n, n->weighed + k * n->values, n->group + k * n->values);
    mdm_image_free(&image);
    return MASKDM_OK;
}

/* In runs whose sum fits 32 bits, so that a compiler has short numbers to add. */
static uint64_t distance(const unsigned char *a, const unsigned char *b, int64_t values)
{
    uint64_t sum = 0;

    for (int64_t at = 0; at < values; at += RUN) {
        const int64_t end = values - at < RUN ? values : at + RUN;
        uint32_t part = 0;

        for (int64_t k = at; k < end; k++) {
            const int d = a[k] - b[k];

            part += (uint32_t)(d * d);
        }
        sum += part;
    }
    return sum;
}

static int compare_one(void *user, int64_t i, int worker)
{
    struct mdm_nearest *n = user;
    const int64_t group = n->scan.count - n->first < GROUP ? n->scan.count - n->first : GROUP;

    (void)worker;
    for (int64_t k = 0; k < group; k++) {
        uint64_t d;

        if (!n->read[k])
            continue;
        d = distance(n->drawn + i * n->values, n->weighed + k * n->values, n->values);
        if (d >= n->distance[i])
            continue;
        n->distance[i] = d;
        n->place[i] = n->first + k;
        memcpy(n->beside + i * n->values, n->group + k * n->values, (size_t)n->values);
    }
    return MASKDM_OK;
}

static int look_at_all(struct mdm_nearest *n)
{
    maskdm_device *device = n->sampler->device;

    for (n->first = 0; n->first < n->scan.count; n->first += GROUP) {
        const int64_t group = n->scan.count - n->first < GROUP ? n->scan.count - n->first : GROUP;

        MDM_TRY(mdm_device_loop(device, group, read_one, n));
        MDM_TRY(mdm_device_loop(device, n->count, compare_one, n));
        for (int64_t k = 0; k < group; k++)
            n->unread += !n->read[k];
        MDM_TRY(mdm_control_check(n->sampler->control, "looking for nearest images"));
    }
    return MASKDM_OK;
}

static double difference(const struct mdm_nearest *n, int64_t i)
{
    return sqrt((double)n->distance[i] / (double)n->values);
}

static void tell(const struct mdm_nearest *n, const struct mdm_naming *naming)
{
    const struct mdm_log *log = mdm_control_log(n->sampler->control);
    char name[MDM_SAMPLING_NAME];
    int64_t least = 0;

    for (int64_t i = 1; i < n->count; i++)
        least = n->distance[i] < n->distance[least] ? i : least;
    mdm_naming_caption(name, naming, least);
    if (n->unread)
        mdm_log_line(log, MASKDM_LOG_WARN, "%lld of %lld images could not be read, and are compared with none",
                     (long long)n->unread, (long long)n->scan.count);
    mdm_log_line(
        log, MASKDM_LOG_INFO, "the nearest of %lld images: %s is %.3g levels of 255 (root mean square) from %s",
        (long long)(n->scan.count - n->unread), name, difference(n, least), mdm_scan_name(&n->scan, n->place[least]));
}

int mdm_nearest_find(struct mdm_nearest *n, const struct mdm_naming *naming)
{
    int status;

    MDM_TRY(mdm_device_enter(n->sampler->device));
    status = look_at_all(n);
    mdm_device_leave(n->sampler->device);
    MDM_TRY(status);
    if (n->unread == n->scan.count)
        return mdm_fail(MASKDM_EINVAL, "none of %lld images could be read", (long long)n->scan.count);
    tell(n, naming);
    return MASKDM_OK;
}

const maskdm_image *mdm_nearest_image(struct mdm_nearest *n, int64_t i, char words[MDM_SAMPLING_NAME])
{
    const char *name = mdm_scan_name(&n->scan, n->place[i]), *slash = strrchr(name, '/');

    for (int64_t k = 0; k < n->values; k++)
        n->image->sample[k] = (uint16_t)(n->beside[i * n->values + k] * 257);
    mdm_format(words, MDM_SAMPLING_NAME, "%.3g %.60s", difference(n, i), slash ? slash + 1 : name);
    return n->image;
}
