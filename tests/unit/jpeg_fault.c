/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JPEG files with faults: those that leave the picture whole are read, to equal pixels and with a remark; those that
 * lose data of it are refused.
 */
#include "jpeg.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/jpeg_warning.h"

#include <check.h>
#include <jerror.h>
#include <stdlib.h>
#include <string.h>

static const struct form forms[] = {
    {.channels = 3}, {.channels = 1}, {.channels = 3, .scans = 1}, {.channels = 3, .separate = 1},
    {.channels = 3, .restart = 1}, {.channels = 4}, {.channels = 4, .transform = 2}};
enum { FORMS = (int)MDM_LENGTH(forms) };

static unsigned char *file;
static unsigned long size;
static maskdm_image *clean;

/* The clean file of form i and its picture. */
static void begin(int i)
{

    file = encode_form(&size, forms[i]);
    ck_assert_msg(!mdm_image_decode(&clean, file, size, &mdm_reading_standard), "%s", mdm_error_text());
    ck_assert_str_eq(clean->remark, "");
}

static void end(void)
{
    mdm_image_free(&clean);
    free(file);
}

/* The file with `gone` bytes at `at` replaced by n others; memory of its own size. */
static unsigned char *changed(size_t *to, size_t at, size_t gone, const void *bytes, size_t n)
{
    unsigned char *out = malloc(size - gone + n);

    memcpy(out, file, at);
    if (n)
        memcpy(out + at, bytes, n);
    memcpy(out + at + n, file + at + gone, size - at - gone);
    *to = size - gone + n;
    return out;
}

/* Reads `bytes`, frees them. remark: what it must say; NULL: it must be refused; "*": anything. */
static void expect(unsigned char *bytes, size_t n, const char *remark)
{
    maskdm_image *m;
    int r = mdm_image_decode(&m, bytes, n, &mdm_reading_standard);

    if (remark) {
        ck_assert_msg(r == MASKDM_OK, "%s", mdm_error_text());
        ck_assert(m->height == clean->height && m->width == clean->width && m->channels == clean->channels);
        ck_assert_mem_eq(m->sample, clean->sample, (size_t)(H * W * m->channels) * sizeof *m->sample);
        if (*remark != '*')
            ck_assert_str_eq(m->remark, remark);
    } else {
        ck_assert_msg(r == MASKDM_EFORMAT, "%d %s", r, r < 0 ? mdm_error_text() : m->remark);
        ck_assert_ptr_null(m);
    }
    mdm_image_free(&m);
    free(bytes);
}

START_TEST(stray_bytes_before_any_marker)
{
    static const unsigned char stray[] = {1, 2, 3, 4, 5};
    int scans = 0;

    begin(_i);
    for (size_t at = next_marker(file, size, 0); at < size; at = next_marker(file, size, at)) {
        size_t n;
        unsigned char *odd = changed(&n, at, 0, stray, sizeof stray);

        /* behind compressed data libjpeg does not always tell what its bit buffer had taken in */
        expect(odd, n, scans ? "*" : "5 stray bytes before a marker");
        scans += file[at + 1] == 0xda;
    }
    end();
}
END_TEST

START_TEST(padding_behind_compressed_data)
{
    static const unsigned char zero[1000];
    unsigned char noise[1000];
    size_t n;

    for (int i = 0; i < 1000; i++)
        noise[i] = (unsigned char)(i * 7 % 250);
    begin(_i);
    for (size_t at = next_marker(file, size, 0), scans = 0; at < size; at = next_marker(file, size, at)) {
        if (scans && file[at + 1] >= 0xd0 && file[at + 1] <= 0xd9) {
            unsigned char *odd = changed(&n, at, 0, zero, sizeof zero);

            expect(odd, n, "*");
            odd = changed(&n, at, 0, noise, sizeof noise); /* data in which the decoder lost its place */
            expect(odd, n, NULL);
        }
        scans += file[at + 1] == 0xda;
    }
    end();
}
END_TEST

static size_t find(int marker)
{
    size_t at = 0;

    while (file[at + 1] != marker)
        at = next_marker(file, size, at);
    return at;
}

START_TEST(odd_versions_and_parameters)
{
    static const unsigned char two[] = {2}, seven[] = {7}, nothing[] = {0, 0, 0};
    unsigned char *odd;
    size_t n;

    begin(0);
    odd = changed(&n, find(0xe0) + 9, 1, two, 1);
    expect(odd, n, "unknown JFIF version 2");
    odd = changed(&n, find(0xda) + 11, 3, nothing, 3);
    expect(odd, n, "1 scans with parameters that their kind of JPEG cannot have");
    end();
    begin(6); /* YCCK, which is what an unknown transform of four inks is taken for */
    odd = changed(&n, find(0xee) + 15, 1, seven, 1);
    expect(odd, n, "unknown Adobe colour transform 7");
    end();
}
END_TEST

START_TEST(the_end)
{
    static const unsigned char trailer[1234] = "vendor", bent[] = {0xff, 0xdb};
    unsigned char *odd;
    size_t n;

    begin(_i);
    odd = changed(&n, size, 0, trailer, sizeof trailer);
    expect(odd, n, "1234 bytes behind the end of the picture");
    odd = changed(&n, size, 0, file, size); /* as in MPO: one picture behind another */
    expect(odd, n, "*");
    odd = changed(&n, size - 2, 2, NULL, 0);
    expect(odd, n, "no end marker behind the whole picture");
    odd = changed(&n, size - 1, 1, NULL, 0);
    expect(odd, n, "no end marker behind the whole picture");
    if (!forms[_i].scans && !forms[_i].separate) {
        odd = changed(&n, size - 2, 2, bent, 2);
        expect(odd, n, "no end marker behind the whole picture");
    }
    odd = changed(&n, size - 2, 2, trailer + 10, 1000); /* zeros to the end: a hole */
    expect(odd, n, NULL);
    end();
}
END_TEST

START_TEST(a_hole_up_to_the_end)
{
    begin(_i);
    for (size_t from = find(0xda) + 16; from + 16 < size; from += 5) {
        unsigned char *odd = malloc(size);

        memcpy(odd, file, size);
        memset(odd + from, 0, size - from);
        expect(odd, size, NULL);
    }
    end();
}
END_TEST

/* Cut at the segment behind each scan but the last, without an end and with one. */
START_TEST(missing_scans)
{
    static const unsigned char eoi[] = {0xff, 0xd9};
    size_t n, last = 0;
    int scans = 0;

    begin(_i);
    for (size_t at = 0; at < size; at = next_marker(file, size, at))
        if (file[at + 1] == 0xda)
            last = at;
    for (size_t at = 0; at < last; at = next_marker(file, size, at)) {
        unsigned char *odd;

        if (scans) {
            odd = changed(&n, at, size - at, NULL, 0);
            expect(odd, n, NULL);
        }
        if (scans && forms[_i].separate) { /* with an end, a progressive file is as fine as it was meant to be */
            odd = changed(&n, at, size - at, eoi, 2);
            expect(odd, n, NULL);
        }
        scans += file[at + 1] == 0xda;
    }
    ck_assert_int_gt(scans, 1);
    end();
}
END_TEST

/* Cut behind the lowest coefficient: it is exact, and the others never came. */
START_TEST(missing_coefficients)
{
    unsigned char *odd;
    size_t n, at;

    file = encode_form(&size, (struct form){.channels = 1, .scans = 20});
    at = next_marker(file, size, find(0xda));
    odd = changed(&n, at, size - at, NULL, 0);
    expect(odd, n, NULL);
    end();
}
END_TEST

/* A few stray bytes lose nothing, whatever they are; many are harmless where they are padding. */
START_TEST(few_or_equal_stray_bytes)
{
    unsigned char noise[40], zero[40] = {0};
    struct mdm_remarks r = {0};
    struct mdm_jpeg_place place = {.scans = 1, .stray = noise};

    for (int i = 0; i < 40; i++)
        noise[i] = (unsigned char)i;
    ck_assert_int_eq(mdm_jpeg_warning(&r, JWRN_EXTRANEOUS_DATA, 32, &place), 1);
    ck_assert_int_eq(mdm_jpeg_warning(&r, JWRN_EXTRANEOUS_DATA, 33, &place), 0);
    place.stray = zero;
    ck_assert_int_eq(mdm_jpeg_warning(&r, JWRN_EXTRANEOUS_DATA, 33, &place), 1);
    zero[32] = 1;
    ck_assert_int_eq(mdm_jpeg_warning(&r, JWRN_EXTRANEOUS_DATA, 33, &place), 0);
    ck_assert_int_eq(r.number[MDM_REMARK_STRAY], 32 + 33);    /* they add up */
    place.ended = 1;
    ck_assert_int_eq(mdm_jpeg_warning(&r, JWRN_EXTRANEOUS_DATA, 1, &place), 0);
    place.scans = 0;
    ck_assert_int_eq(mdm_jpeg_warning(&r, JWRN_EXTRANEOUS_DATA, 33, &place), 1);
}
END_TEST

START_TEST(missing_restart_intervals)
{
    unsigned char *odd;
    size_t n, seen = 0;

    begin(4);
    for (size_t at = find(0xd0); at < size; at = next_marker(file, size, at)) {
        size_t next = next_marker(file, size, at);

        seen++;
        if (next < size) {
            odd = changed(&n, at, next - at, NULL, 0);
            expect(odd, n, NULL);
            odd = changed(&n, at, 2, NULL, 0);
            expect(odd, n, NULL);
        }
    }
    ck_assert_uint_gt(seen, 3);
    end();
}
END_TEST

START_TEST(kinds_that_are_not_read_are_named)
{
    static const struct {
        int marker, at;
        unsigned char value;
        const char *words;
    } kinds[] = {{0xc0, 1, 0xc3, "lossless"}, {0xc0, 1, 0xc5, "hierarchical"}, {0xc0, 4, 12, "12 bits"}};
    maskdm_image *m;

    begin(0);
    file[find(kinds[_i].marker) + (size_t)kinds[_i].at] = kinds[_i].value;
    ck_assert_int_eq(mdm_image_decode(&m, file, size, &mdm_reading_standard), MASKDM_ENOTSUP);
    ck_assert_msg(strstr(mdm_error_text(), kinds[_i].words) != NULL, "%s", mdm_error_text());
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jpeg_fault");
    TCase *t = tcase_create("jpeg_fault");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, stray_bytes_before_any_marker, 0, FORMS);
    tcase_add_loop_test(t, padding_behind_compressed_data, 0, FORMS);
    tcase_add_test(t, odd_versions_and_parameters);
    tcase_add_loop_test(t, the_end, 0, FORMS);
    tcase_add_loop_test(t, a_hole_up_to_the_end, 0, FORMS);
    tcase_add_loop_test(t, missing_scans, 2, 4);
    tcase_add_test(t, missing_coefficients);
    tcase_add_test(t, few_or_equal_stray_bytes);
    tcase_add_test(t, missing_restart_intervals);
    tcase_add_loop_test(t, kinds_that_are_not_read_are_named, 0, 3);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
