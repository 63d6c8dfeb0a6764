/* SPDX-License-Identifier: BSD-2-Clause
 *
 * WebP in, lossy and lossless, RGB or RGBA. libwebp has no rows to hand out before all are decoded, so that every
 * picture is held as a whole. An animation is refused: which of its pictures was meant is not for a reader to guess.
 */
#include "base/alloc.h"
#include "base/endian.h"
#include "image/codec.h"
#include "image/exif.h"
#include "image/rows.h"

#include <string.h>
#include <webp/decode.h>

enum {
    RIFF = 12,      /* bytes of the container's own header: "RIFF", the bytes behind these eight, "WEBP" */
    CHUNK = 8,      /* name and size */
    LOSSY = 1,      /* of WebPBitstreamFeatures.format */
    BLOCK = 16 * 16 /* pixels of which a lossy picture says the kind, in two bits and more */
};

struct decoding {
    struct mdm_rows base;
    const unsigned char *bytes;
    size_t size;
    unsigned char *pixel; /* NULL before the first row is asked for */
    int64_t given;
};

static int refuse(VP8StatusCode status)
{
    if (status == VP8_STATUS_OUT_OF_MEMORY)
        return mdm_fail(MASKDM_ENOMEM, "out of memory: decoding a WebP image");
    if (status == VP8_STATUS_UNSUPPORTED_FEATURE)
        return mdm_fail(MASKDM_ENOTSUP, "WebP: a kind that this system's libwebp does not read");
    return mdm_fail(MASKDM_EFORMAT, "WebP: %s",
                    status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED ? "the file ends early"
                                                                                           : "damaged data");
}

/* What stands beside the picture: which way up, and how much is behind the end. */
static void look_beside(struct decoding *d)
{
    const uint64_t said = mdm_load_le(d->bytes + 4, 4) + CHUNK, even = said + said % 2;
    const size_t end = even < d->size ? (size_t)even : d->size;
    size_t n;

    if (end < d->size)
        mdm_remark_add(&d->base.remarks, MDM_REMARK_TRAILER, (int64_t)(d->size - end));
    for (size_t at = RIFF; end - at >= CHUNK; at += CHUNK + n) {
        const unsigned char *chunk = d->bytes + at;

        n = (size_t)mdm_load_le(chunk + 4, 4);
        if (n > end - at - CHUNK)
            break;
        if (memcmp(chunk, "EXIF", 4) == 0 && !d->base.orientation)
            d->base.orientation = mdm_exif_orientation(chunk + CHUNK, n);
        n += n % 2 && n < end - at - CHUNK; /* a byte that fills up, which the last one may lack */
    }
}

static int begin(struct decoding *d)
{
    struct mdm_rows *rows = &d->base;
    WebPBitstreamFeatures f;
    const VP8StatusCode status = WebPGetFeatures(d->bytes, d->size, &f);
    uint64_t pixels, beside;

    if (status != VP8_STATUS_OK)
        return refuse(status);
    if (f.has_animation)
        return mdm_fail(MASKDM_ENOTSUP, "WebP: an animation, only still pictures are read");
    if (f.width < 1 || f.height < 1)
        return refuse(VP8_STATUS_BITSTREAM_ERROR);
    pixels = (uint64_t)f.height * (uint64_t)f.width;
    /* A lossless picture of one colour takes no bits at all. */
    MDM_TRY(mdm_rows_check_size(rows->how, (uint64_t)f.height, (uint64_t)f.width,
                                f.format == LOSSY ? pixels / BLOCK / 8 : 0, d->size));
    rows->height = f.height;
    rows->width = f.width;
    rows->channels = f.has_alpha ? 4 : 3;
    rows->bits = 8;
    look_beside(d);
    beside = f.format != LOSSY ? 4 : f.has_alpha ? 1 : 0; /* what libwebp holds of its own, in bytes a pixel */
    return mdm_rows_hold(rows, pixels * ((uint64_t)rows->channels + beside), "WebP");
}

static int decode(struct decoding *d)
{
    const size_t row = (size_t)(d->base.width * d->base.channels), all = row * (size_t)d->base.height;
    WebPDecoderConfig config;
    VP8StatusCode status;

    d->pixel = mdm_malloc(all);
    if (!d->pixel)
        return mdm_fail_memory(all, "a WebP image");
    if (!WebPInitDecoderConfig(&config))
        return mdm_fail(MASKDM_EVERSION, "WebP: this system's libwebp is another than the library was built with");
    config.output.colorspace = d->base.channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){d->pixel, (int)row, all};
    status = WebPDecode(d->bytes, d->size, &config);
    WebPFreeDecBuffer(&config.output);
    return status == VP8_STATUS_OK ? MASKDM_OK : refuse(status);
}

static int read_row(struct mdm_rows *rows, int64_t *y, uint16_t *to)
{
    struct decoding *d = (struct decoding *)rows;
    const int64_t n = rows->width * rows->channels;

    *y = d->given;
    if (!d->given)
        MDM_TRY(decode(d));
    for (int64_t i = 0; i < n; i++)
        to[i] = (uint16_t)(d->pixel[*y * n + i] * 257);
    d->given++;
    return MASKDM_OK;
}

static void close_rows(struct mdm_rows *rows)
{
    struct decoding *d = (struct decoding *)rows;

    mdm_free(d->pixel);
    mdm_free(d);
}

static const struct mdm_rows_class kind = {read_row, close_rows};

int mdm_rows_open_webp(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how)
{
    struct decoding *d = mdm_calloc(1, sizeof *d);

    *out = NULL;
    if (!d)
        return mdm_fail_memory(sizeof *d, "a WebP image");
    d->base.kind = &kind;
    d->base.how = how;
    d->bytes = bytes;
    d->size = size;
    *out = &d->base;
    return begin(d);
}
