/* SPDX-License-Identifier: BSD-2-Clause
 *
 * WebP: what libwebp wrote is read as it was, within the limits, and what is damaged or moves is refused.
 */
#include "base/alloc.h"
#include "base/endian.h"
#include "image/codec.h"
#include "image/rows.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/encode.h>

enum { H = 21, W = 35 };

static unsigned char picture[H * W * 4];

/* A file of `picture`, to be freed. */
static unsigned char *encode(size_t *size, int channels, int lossless)
{
    unsigned char *file = NULL, *own;

    for (int i = 0; i < H * W * channels; i++) {
        const int x = i / channels % W, y = i / channels / W;

        picture[i] = (unsigned char)(40 + 4 * y + 2 * x + 20 * (i % channels));
    }
    if (channels == 3)
        *size = lossless ? WebPEncodeLosslessRGB(picture, W, H, 3 * W, &file)
                         : WebPEncodeRGB(picture, W, H, 3 * W, 95, &file);
    else
        *size = lossless ? WebPEncodeLosslessRGBA(picture, W, H, 4 * W, &file)
                         : WebPEncodeRGBA(picture, W, H, 4 * W, 95, &file);
    ck_assert_uint_gt(*size, 30);
    own = malloc(*size); /* of its own size, so that a sanitizer sees a read behind the end */
    memcpy(own, file, *size);
    WebPFree(file);
    return own;
}

static int decode(maskdm_image **out, const void *bytes, size_t size)
{
    mdm_fail(MASKDM_OK, "%s", ""); /* so that a line is of this call */
    return mdm_image_decode(out, bytes, size, &mdm_reading_standard);
}

static void expect_error(const void *bytes, size_t size, int status, const char *line)
{
    maskdm_image *m;

    ck_assert_int_eq(decode(&m, bytes, size), status);
    ck_assert_ptr_null(m);
    ck_assert_str_eq(mdm_error_text(), line);
}

/* Lossless: what was put in; lossy: what libwebp makes of it, which is near that. */
START_TEST(samples)
{
    const int channels = 3 + _i % 2, lossless = _i / 2;
    size_t size;
    unsigned char *file = encode(&size, channels, lossless), *seen;
    maskdm_image *m;
    int width, height;

    ck_assert_msg(decode(&m, file, size) == MASKDM_OK, "%s", mdm_error_text());
    ck_assert(m->height == H && m->width == W && m->channels == channels && m->bits == 8);
    ck_assert_str_eq(m->remark, "");
    seen = channels == 3 ? WebPDecodeRGB(file, size, &width, &height) : WebPDecodeRGBA(file, size, &width, &height);
    for (int i = 0; i < H * W * channels; i++) {
        ck_assert_int_eq(m->sample[i], seen[i] * 257);
        ck_assert_int_le(abs(seen[i] - picture[i]), lossless ? 0 : 8);
    }
    ck_assert_int_eq(mdm_image_is_transparent(file, size), channels == 4);
    WebPFree(seen);
    mdm_image_free(&m);
    free(file);
}
END_TEST

START_TEST(every_cut_is_refused)
{
    size_t size;
    unsigned char *file = encode(&size, 3 + _i % 2, _i / 2);

    for (size_t n = 0; n < size; n++) {
        unsigned char *own = malloc(n ? n : 1);
        maskdm_image *m;

        memcpy(own, file, n);
        ck_assert_int_eq(decode(&m, own, n), MASKDM_EFORMAT);
        ck_assert_ptr_null(m);
        ck_assert_str_ne(mdm_error_text(), "");
        free(own);
    }
    expect_error(file, size - 2, MASKDM_EFORMAT, "WebP: the file ends early");
    free(file);
}
END_TEST

/* A container with more than a picture: "VP8X" with its flags and the canvas, then `chunk`, then the picture. */
static unsigned char *wrap(size_t *size, int flags, const char *name, const void *data, size_t n)
{
    size_t inner;
    unsigned char *file = encode(&inner, 3, 1), *out = calloc(1, inner + n + 64), *p = out + 12;

    memcpy(p, "VP8X\12\0\0\0", 8);
    p[8] = (unsigned char)flags;
    mdm_store_le(p + 12, 3, W - 1);
    mdm_store_le(p + 15, 3, H - 1);
    p += 18;
    memcpy(p, name, 4);
    mdm_store_le(p + 4, 4, n);
    memcpy(p + 8, data, n);
    p += 8 + n + n % 2;
    memcpy(p, file + 12, inner - 12);
    *size = (size_t)(p - out) + inner - 12;
    memcpy(out, file, 12);
    mdm_store_le(out + 4, 4, *size - 8);
    free(file);
    return out;
}

START_TEST(turned_as_exif_says)
{
    static const unsigned char exif[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 7};
    size_t size;
    unsigned char *file = wrap(&size, 8, "EXIF", exif, sizeof exif - (size_t)_i);
    maskdm_image *m;

    ck_assert_msg(decode(&m, file, size) == MASKDM_OK, "%s", mdm_error_text());
    ck_assert_str_eq(m->remark, "turned upright from EXIF orientation 6");
    ck_assert(m->height == W && m->width == H);
    for (int y = 0; y < W; y++)
        for (int x = 0; x < H; x++)
            ck_assert_int_eq(m->sample[(y * H + x) * 3], picture[((H - 1 - x) * W + y) * 3] * 257);
    mdm_image_free(&m);
    free(file);
}
END_TEST

START_TEST(an_animation_is_refused)
{
    size_t size;
    unsigned char *file = wrap(&size, 2, "ANIM", "\0\0\0\0\0\0", 6);

    expect_error(file, size, MASKDM_ENOTSUP, "WebP: an animation, only still pictures are read");
    free(file);
}
END_TEST

START_TEST(what_is_behind_the_end_is_said)
{
    size_t size;
    unsigned char *file = encode(&size, 3, 1);
    maskdm_image *m;

    file = realloc(file, size + 9);
    memset(file + size, 'x', 9);
    ck_assert_msg(decode(&m, file, size + 9) == MASKDM_OK, "%s", mdm_error_text());
    ck_assert_str_eq(m->remark, "9 bytes behind the end of the picture");
    mdm_image_free(&m);
    free(file);
}
END_TEST

/* Limits are asked before anything of the picture's size is taken. */
START_TEST(limits)
{
    const size_t memory = (size_t)H * W * (_i ? 3 + 4 : 3); /* of the picture, and of libwebp's own */
    struct mdm_reading how = mdm_reading_standard;
    size_t size;
    unsigned char *file = encode(&size, 3, _i);
    maskdm_image *m;

    how.pixels = H * W - 1;
    ck_assert_int_eq(mdm_image_decode(&m, file, size, &how), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "21 x 35 are 735 pixels, and image_pixels is 734 (--image-pixels raises it)");
    how.pixels++;
    how.memory = memory;
    ck_assert_msg(mdm_image_decode(&m, file, size, &how) == MASKDM_OK, "%s", mdm_error_text());
    mdm_image_free(&m);
    how.memory--;
    ck_assert_int_eq(mdm_image_decode(&m, file, size, &how), MASKDM_EINVAL);
    ck_assert_msg(strstr(mdm_error_text(), "21 x 35 pixels, WebP, take") != NULL, "%s", mdm_error_text());
    if (!_i) { /* of a lossy picture, every block takes bits */
        mdm_store_le(file + 26, 2, 8000);
        mdm_store_le(file + 28, 2, 8000);
        ck_assert_int_eq(decode(&m, file, size), MASKDM_EFORMAT);
        ck_assert_msg(strstr(mdm_error_text(), "bytes cannot hold 8000 x 8000 pixels") != NULL, "%s",
                      mdm_error_text());
    }
    free(file);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    int *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(every_refused_allocation_is_reported)
{
    const long before = mdm_alloc_live();
    size_t size;
    unsigned char *file = encode(&size, 4, 1);
    maskdm_image *m;
    int at = 0, left, r;

    do {
        struct mdm_alloc_hook hook = {refuse_at, &left};

        left = at++;
        mdm_alloc_hook_set(&hook);
        r = decode(&m, file, size);
        mdm_alloc_hook_set(NULL);
        ck_assert(r == MASKDM_OK || r == MASKDM_ENOMEM);
        mdm_image_free(&m);
        ck_assert_int_eq(mdm_alloc_live(), before);
    } while (r < 0);
    ck_assert_int_gt(at, 4);
    free(file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("webp");
    TCase *t = tcase_create("webp");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, samples, 0, 4);
    tcase_add_loop_test(t, every_cut_is_refused, 0, 4);
    tcase_add_loop_test(t, turned_as_exif_says, 0, 2);
    tcase_add_test(t, an_animation_is_refused);
    tcase_add_test(t, what_is_behind_the_end_is_said);
    tcase_add_loop_test(t, limits, 0, 2);
    tcase_add_test(t, every_refused_allocation_is_reported);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
