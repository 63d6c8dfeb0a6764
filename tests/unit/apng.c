/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Animated PNG, taken apart by rule: which chunks in which order, numbers, sizes and times, and every frame's data
 * put back into a file of its own, which must decode to the frame.
 */
#include "image/apng.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "os/file.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

enum { H = 40, W = 33, FRAMES = 4, BYTES = 1 << 16 };

static const char path[] = "unit_apng.png";

struct bytes {
    unsigned char data[BYTES];
    size_t size;
};

static uint32_t get32(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void append(struct bytes *to, const void *from, size_t n)
{
    ck_assert_uint_le(to->size + n, BYTES);
    if (n)
        memcpy(to->data + to->size, from, n);
    to->size += n;
}

static void append_chunk(struct bytes *to, const char *name, const unsigned char *body, size_t n)
{
    const unsigned char length[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                                     (unsigned char)n};
    struct mdm_crc32 c;
    uint32_t crc;

    mdm_crc32_prepare(&c);
    append(to, length, 4);
    append(to, name, 4);
    append(to, body, n);
    crc = mdm_crc32_add(&c, 0, to->data + to->size - n - 4, n + 4);
    append(to,
           (unsigned char[]){(unsigned char)(crc >> 24), (unsigned char)(crc >> 16), (unsigned char)(crc >> 8),
                             (unsigned char)crc},
           4);
}

/* Noise, so that the data take more than one chunk, and different in every frame. */
static maskdm_image *picture(int k, int channels, int bits)
{
    maskdm_image *m;
    uint32_t v = (uint32_t)k + 1;

    ck_assert_int_eq(mdm_image_create(&m, H, W, channels), MASKDM_OK);
    for (int i = 0; i < H * W * channels; i++) {
        v = v * 1664525 + 1013904223;
        m->sample[i] = (uint16_t)(bits == 8 ? (v >> 24) * 257 : v >> 16);
    }
    m->bits = bits;
    return m;
}

static void expect_picture(const void *bytes, size_t size, const maskdm_image *frame)
{
    maskdm_image *m;

    ck_assert_msg(mdm_image_decode(&m, bytes, size, &mdm_reading_standard) == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert_str_eq(m->remark, "");
    ck_assert_int_eq(m->bits, frame->bits);
    ck_assert_int_eq(m->channels, frame->channels);
    ck_assert_mem_eq(m->sample, frame->sample, (size_t)(H * W * frame->channels) * sizeof *m->sample);
    mdm_image_free(&m);
}

/* One chunk at a time; its checksum holds. */
struct chunk {
    const unsigned char *name, *body;
    size_t size;
};

static struct chunk next(const char *file, size_t size, size_t *at)
{
    const unsigned char *p = (const unsigned char *)file + *at;
    struct mdm_crc32 c;
    struct chunk chunk;

    ck_assert_uint_le(*at + 12, size);
    chunk = (struct chunk){p + 4, p + 8, get32(p)};
    ck_assert_uint_le(*at + 12 + chunk.size, size);
    mdm_crc32_prepare(&c);
    ck_assert_uint_eq(mdm_crc32_add(&c, 0, chunk.name, 4 + chunk.size), get32(chunk.body + chunk.size));
    *at += 12 + chunk.size;
    return chunk;
}

static int is(struct chunk c, const char *name)
{
    return !memcmp(c.name, name, 4);
}

static void expect_head(struct chunk c, uint32_t number, int milliseconds)
{
    static const unsigned char corner[8];

    ck_assert(is(c, "fcTL"));
    ck_assert_uint_eq(c.size, 26);
    ck_assert_uint_eq(get32(c.body), number);
    ck_assert_uint_eq(get32(c.body + 4), W);
    ck_assert_uint_eq(get32(c.body + 8), H);
    ck_assert_mem_eq(c.body + 12, corner, 8);
    ck_assert_int_eq((c.body[20] << 8 | c.body[21]) * 1000 / (c.body[22] << 8 | c.body[23]), milliseconds);
    ck_assert_uint_eq(c.body[24], 0);
    ck_assert_uint_eq(c.body[25], 0);
}

static void expect_animation(const char *file, size_t size, maskdm_image *const *frame, int milliseconds)
{
    static struct bytes one;
    size_t at = 8;
    uint32_t number = 0;
    struct chunk c = next(file, size, &at), header = c;

    ck_assert(is(header, "IHDR"));
    c = next(file, size, &at);
    ck_assert(is(c, "acTL"));
    ck_assert_uint_eq(c.size, 8);
    ck_assert_uint_eq(get32(c.body), FRAMES);
    ck_assert_uint_eq(get32(c.body + 4), 0);
    do
        c = next(file, size, &at);
    while (is(c, "IDAT"));
    for (int k = 0; k < FRAMES; k++) {
        expect_head(c, number++, milliseconds);
        one.size = 0;
        append(&one, file, 8);
        append_chunk(&one, "IHDR", header.body, header.size);
        while (c = next(file, size, &at), is(c, "fdAT")) {
            ck_assert_uint_eq(get32(c.body), number++);
            append_chunk(&one, "IDAT", c.body + 4, c.size - 4);
        }
        append_chunk(&one, "IEND", NULL, 0);
        expect_picture(one.data, one.size, frame[k]);
    }
    ck_assert(is(c, "IEND"));
    ck_assert_uint_eq(at, size);
    expect_picture(file, size, frame[1]); /* for who knows nothing of animations */
}

START_TEST(frames)
{
    const int channels = _i % 4 + 1, bits = _i < 4 ? 8 : 16;
    long before = mdm_alloc_live();
    maskdm_image *frame[FRAMES];
    char *file;
    size_t size;

    for (int k = 0; k < FRAMES; k++)
        frame[k] = picture(k, channels, bits);
    ck_assert_msg(maskdm_image_write_apng(frame[1], (const maskdm_image *const *)frame, FRAMES, 40 + _i, path,
                                          bits) == MASKDM_OK,
                  "%s", maskdm_last_error());
    ck_assert_int_eq(mdm_file_read_all(&file, &size, path, BYTES), MASKDM_OK);
    expect_animation(file, size, frame, 40 + _i);
    mdm_free(file);
    for (int k = 0; k < FRAMES; k++)
        mdm_image_free(&frame[k]);
    ck_assert_int_eq(mdm_alloc_live(), before);
    unlink(path);
}
END_TEST

static void refuse(const maskdm_image *still, const maskdm_image *const *frame, int64_t count, int64_t milliseconds,
                   int bits, int status, const char *text)
{
    ck_assert_int_eq(maskdm_image_write_apng(still, frame, count, milliseconds, path, bits), status);
    ck_assert_str_eq(maskdm_last_error(), text);
    ck_assert_int_ne(access(path, F_OK), 0);
}

START_TEST(refusals)
{
    long before = mdm_alloc_live();
    maskdm_image *one = picture(0, 3, 8), *grey = picture(1, 1, 8);
    const maskdm_image *frame[] = {one, one, NULL}, *mixed[] = {grey, one};
    struct mdm_writer *writer;
    struct mdm_apng *a;

    refuse(one, frame, 0, 40, 8, MASKDM_EINVAL, "an animation of 0 frames");
    refuse(one, frame, 3, 40, 8, MASKDM_EINVAL, "frame 2 of an animation is NULL");
    refuse(one, frame, 2, 0, 8, MASKDM_EINVAL, "a frame of 0 ms; 1 to 65535 are possible");
    refuse(one, frame, 2, 65536, 8, MASKDM_EINVAL, "a frame of 65536 ms; 1 to 65535 are possible");
    refuse(one, frame, 2, 40, 12, MASKDM_EINVAL, "a PNG has 8 or 16 bits a sample, not 12");
    refuse(one, mixed, 2, 40, 8, MASKDM_ESHAPE, "frame 0 of an animation is 40 x 33 x 1, its picture 40 x 33 x 3");
    for (int many = 0; many < 2; many++) { /* too few, too many */
        ck_assert_int_eq(mdm_writer_open(&writer, path), MASKDM_OK);
        ck_assert_int_eq(mdm_apng_open(&a, &writer, one, 2, 8), MASKDM_OK);
        ck_assert_int_eq(mdm_apng_add(a, one, 1), MASKDM_OK);
        if (many) {
            ck_assert_int_eq(mdm_apng_add(a, one, 1), MASKDM_OK);
            ck_assert_int_eq(mdm_apng_add(a, one, 1), MASKDM_EINVAL);
            ck_assert_str_eq(maskdm_last_error(), "more frames than the 2 of the animation");
            mdm_apng_abandon(&a);
        } else {
            ck_assert_int_eq(mdm_apng_commit(&a), MASKDM_EINVAL);
            ck_assert_str_eq(maskdm_last_error(), "1 of 2 frames of the animation are there");
        }
        ck_assert_int_ne(access(path, F_OK), 0);
    }
    mdm_image_free(&one);
    mdm_image_free(&grey);
    ck_assert_int_eq(mdm_alloc_live(), before);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    int *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

/* Whichever allocation is refused, nothing is left of the file, and nothing leaks. */
START_TEST(refused_memory)
{
    maskdm_image *one = picture(0, 3, 8);
    const maskdm_image *frame[] = {one, one};
    const long before = mdm_alloc_live();
    int left, status = MASKDM_ENOMEM;
    struct mdm_alloc_hook hook = {refuse_at, &left};

    for (int n = 0; status != MASKDM_OK; n++) {
        left = n;
        mdm_alloc_hook_set(&hook);
        status = maskdm_image_write_apng(one, frame, 2, 40, path, 8);
        mdm_alloc_hook_set(NULL);
        ck_assert_int_eq(mdm_alloc_live(), before);
        ck_assert(status == MASKDM_OK || status == MASKDM_ENOMEM);
        ck_assert_int_eq(access(path, F_OK) == 0, status == MASKDM_OK);
        ck_assert_int_lt(n, 1000);
    }
    unlink(path);
    mdm_image_free(&one);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("apng");
    TCase *t = tcase_create("apng");
    SRunner *runner;
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, frames, 0, 8);
    tcase_add_test(t, refusals);
    tcase_add_test(t, refused_memory);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
