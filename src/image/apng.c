/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each frame is made as a PNG of its own, and its chunks are taken apart: of the still picture's all stay, with the
 * animation's own (acTL) in front of its data; of a frame's only the data do, as fdAT behind its fcTL, which with
 * them are numbered through. So libpng alone filters and packs, and no version of it must know of animations.
 */
#include "image/apng.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "base/error.h"
#include "image/codec.h"
#include "os/file.h"
#include "text/text.h"

#include <string.h>

enum { SIGNATURE = 8, AROUND = 12 /* a chunk's length, name and checksum */ };

struct mdm_apng {
    struct mdm_writer *writer;
    struct mdm_crc32 crc;
    int64_t height, width;
    int channels, bits;
    uint32_t frames, done, numbered; /* numbered: of the chunks that are */
    struct mdm_text file;            /* the picture at hand as a PNG */
};

static void put32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t get32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A chunk whose body is in two parts, of which the first is up to 32 bytes. */
static int write_chunk(struct mdm_apng *a, const char *name, const unsigned char *head, size_t heads,
                       const char *tail, size_t tails)
{
    unsigned char begin[8 + 32], end[4];
    uint32_t crc;

    put32(begin, (uint32_t)(heads + tails));
    memcpy(begin + 4, name, 4);
    if (heads)
        memcpy(begin + 8, head, heads);
    crc = mdm_crc32_add(&a->crc, 0, begin + 4, 4 + heads);
    put32(end, mdm_crc32_add(&a->crc, crc, tail, tails));
    MDM_TRY(mdm_writer_write(a->writer, begin, 8 + heads));
    MDM_TRY(mdm_writer_write(a->writer, tail, tails));
    return mdm_writer_write(a->writer, end, sizeof end);
}

static int write_animation_head(struct mdm_apng *a)
{
    unsigned char body[8];

    put32(body, a->frames);
    put32(body + 4, 0); /* played without end */
    return write_chunk(a, "acTL", body, sizeof body, "", 0);
}

static int write_frame_head(struct mdm_apng *a, int64_t milliseconds)
{
    unsigned char body[26] = {0}; /* at the corner, left as it is, in place of what was there */

    put32(body, a->numbered++);
    put32(body + 4, (uint32_t)a->width);
    put32(body + 8, (uint32_t)a->height);
    body[20] = (unsigned char)(milliseconds >> 8);
    body[21] = (unsigned char)milliseconds;
    body[22] = 1000 >> 8;
    body[23] = 1000 & 255;
    return write_chunk(a, "fcTL", body, sizeof body, "", 0);
}

static int hold(void *user, const void *bytes, size_t n)
{
    struct mdm_text *t = user;

    mdm_text_add_n(t, bytes, n);
    return mdm_text_ok(t);
}

static int encode(struct mdm_apng *a, const maskdm_image *picture)
{
    a->file.length = 0;
    return mdm_png_encode(picture, a->bits, hold, &a->file);
}

/* One chunk of the picture at hand; all 0: before the first. */
struct chunk {
    const char *at, *name, *body;
    size_t size, whole; /* of the body; of the chunk */
};

static int next_chunk(const struct mdm_apng *a, struct chunk *c)
{
    c->at = c->at ? c->at + c->whole : a->file.data + SIGNATURE;
    if (c->at == a->file.data + a->file.length)
        return 0;
    c->size = get32(c->at);
    c->name = c->at + 4;
    c->body = c->at + 8;
    c->whole = c->size + AROUND;
    return 1;
}

static int is(const struct chunk *c, const char *name)
{
    return !memcmp(c->name, name, 4);
}

static int write_still(struct mdm_apng *a)
{
    int begun = 0;

    MDM_TRY(mdm_writer_write(a->writer, a->file.data, SIGNATURE));
    for (struct chunk c = {0}; next_chunk(a, &c) && !is(&c, "IEND");) {
        if (is(&c, "IDAT") && !begun++)
            MDM_TRY(write_animation_head(a));
        MDM_TRY(mdm_writer_write(a->writer, c.at, c.whole));
    }
    return MASKDM_OK;
}

static int write_data(struct mdm_apng *a)
{
    for (struct chunk c = {0}; next_chunk(a, &c);)
        if (is(&c, "IDAT")) {
            unsigned char number[4];

            put32(number, a->numbered++);
            MDM_TRY(write_chunk(a, "fdAT", number, sizeof number, c.body, c.size));
        }
    return MASKDM_OK;
}

int mdm_apng_open(struct mdm_apng **out, struct mdm_writer **writer, const maskdm_image *still, int64_t frames,
                  int bits)
{
    struct mdm_apng *a = NULL;
    int status = MASKDM_OK;

    *out = NULL;
    if (frames < 1 || frames > INT32_MAX)
        status = mdm_fail(MASKDM_EINVAL, "an animation of %lld frames", (long long)frames);
    if (status == MASKDM_OK && !(a = mdm_need(1, sizeof *a, "an animation")))
        status = MASKDM_ENOMEM;
    if (status < 0) {
        mdm_writer_abandon(writer);
        return status;
    }
    mdm_crc32_prepare(&a->crc);
    a->writer = *writer;
    *writer = NULL;
    a->height = still->height;
    a->width = still->width;
    a->channels = still->channels;
    a->bits = bits;
    a->frames = (uint32_t)frames;
    status = encode(a, still);
    if (status == MASKDM_OK)
        status = write_still(a);
    if (status < 0)
        mdm_apng_abandon(&a);
    *out = a;
    return status;
}

int mdm_apng_add(struct mdm_apng *a, const maskdm_image *frame, int64_t milliseconds)
{
    if (frame->height != a->height || frame->width != a->width || frame->channels != a->channels)
        return mdm_fail(MASKDM_ESHAPE, "frame %u of an animation is %lld x %lld x %d, its picture %lld x %lld x %d",
                        a->done, (long long)frame->height, (long long)frame->width, frame->channels,
                        (long long)a->height, (long long)a->width, a->channels);
    if (milliseconds < 1 || milliseconds > UINT16_MAX)
        return mdm_fail(MASKDM_EINVAL, "a frame of %lld ms; 1 to %d are possible", (long long)milliseconds,
                        UINT16_MAX);
    if (a->done == a->frames)
        return mdm_fail(MASKDM_EINVAL, "more frames than the %u of the animation", a->frames);
    a->done++;
    MDM_TRY(encode(a, frame));
    MDM_TRY(write_frame_head(a, milliseconds));
    return write_data(a);
}

void mdm_apng_abandon(struct mdm_apng **out)
{
    struct mdm_apng *a = *out;

    *out = NULL;
    if (!a)
        return;
    mdm_writer_abandon(&a->writer);
    mdm_text_free(&a->file);
    mdm_free(a);
}

int mdm_apng_commit(struct mdm_apng **out)
{
    struct mdm_apng *a = *out;
    int status = MASKDM_OK;

    if (a->done != a->frames)
        status = mdm_fail(MASKDM_EINVAL, "%u of %u frames of the animation are there", a->done, a->frames);
    if (status == MASKDM_OK)
        status = write_chunk(a, "IEND", NULL, 0, "", 0);
    if (status == MASKDM_OK)
        status = mdm_writer_commit(&a->writer);
    mdm_apng_abandon(out);
    return status;
}

static int check(const maskdm_image *const *frame, int64_t count, int bits)
{
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "an animation of %lld frames", (long long)count);
    if (bits != 8 && bits != 16)
        return mdm_fail(MASKDM_EINVAL, "a PNG has 8 or 16 bits a sample, not %d", bits);
    for (int64_t i = 0; i < count; i++)
        if (!frame[i])
            return mdm_fail(MASKDM_EINVAL, "frame %lld of an animation is NULL", (long long)i);
    return MASKDM_OK;
}

int mdm_image_write_apng(const maskdm_image *still, const maskdm_image *const *frame, int64_t count,
                         int64_t milliseconds, const char *path, int bits)
{
    struct mdm_writer *writer;
    struct mdm_apng *a;
    int status;

    MDM_TRY(check(frame, count, bits));
    MDM_TRY(mdm_writer_open(&writer, path));
    MDM_TRY(mdm_apng_open(&a, &writer, still, count, bits));
    for (int64_t i = 0; i < count; i++) {
        status = mdm_apng_add(a, frame[i], milliseconds);
        if (status < 0) {
            mdm_apng_abandon(&a);
            return status;
        }
    }
    return mdm_apng_commit(&a);
}
