/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers of 16 bits, what weights of them do to samples, and archives whose sizes and places need 64 bits.
 */
#include "model/narrow.h"

#include "base/crc32.h"
#include "base/error.h"
#include "tensorfile/pickle_write.h"
#include "tensorfile/tensorfile.h"
#include "tensorfile/zip_write.h"

#include <maskdm/maskdm.h>

#include <check.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(call) ck_assert_msg((call) == MASKDM_OK, "%s: %s", #call, maskdm_last_error())

/* ---- numbers ---- */

static float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* By its formula: (-1)^s 2^(e-15) (1 + f / 1024), 2^-14 f / 1024 for e = 0. */
static double f16_value(unsigned bits)
{
    const int e = bits >> 10 & 31, f = bits & 1023;
    const double size = e == 31 ? (f ? (double)NAN : (double)INFINITY) : e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);

    return bits & 0x8000 ? -size : size;
}

static double bf16_value(unsigned bits)
{
    return float_of(bits << 16);
}

static const struct {
    uint16_t (*to)(float x);
    double (*value)(unsigned bits);
    unsigned infinity;
    double beyond; /* the first that is infinite */
} forms[] = {{mdm_tensorfile_to_f16, f16_value, 0x7C00, 65520},
             {mdm_tensorfile_to_bf16, bf16_value, 0x7F80, 0x1.FFp127}};

/* Every number comes back; what lies between two goes to the nearer, and from the middle to the even one. */
START_TEST(every_number_and_between)
{
    const unsigned infinity = forms[_i].infinity;

    for (unsigned sign = 0; sign <= 0x8000; sign += 0x8000) {
        for (unsigned b = 0; b < infinity; b++) {
            const double low = forms[_i].value(b),
                         high = b + 1 < infinity ? forms[_i].value(b + 1) : 2 * low - forms[_i].value(b - 1);
            const float middle = (float)(low + (high - low) / 2), s = sign ? -1 : 1;

            ck_assert_uint_eq(forms[_i].to(s * (float)low), sign | b);
            ck_assert_uint_eq(forms[_i].to(s * middle), sign | (b + (b & 1)));
            if (middle > 0x1p-120f) { /* where single precision still has a number on either side */
                ck_assert_uint_eq(forms[_i].to(s * nextafterf(middle, 0)), sign | b);
                ck_assert_uint_eq(forms[_i].to(s * nextafterf(middle, INFINITY)), sign | (b + 1));
            }
        }
        ck_assert_uint_eq(forms[_i].to(sign ? -INFINITY : INFINITY), sign | infinity);
        ck_assert_uint_eq(forms[_i].to(sign ? -FLT_MAX : FLT_MAX), sign | infinity);
    }
    ck_assert_uint_eq(forms[_i].to((float)forms[_i].beyond), infinity);
    ck_assert_uint_eq(forms[_i].to(nextafterf((float)forms[_i].beyond, 0)), infinity - 1);
    ck_assert(isnan(forms[_i].value(forms[_i].to((float)NAN))));
    ck_assert(isnan(forms[_i].value(forms[_i].to(float_of(0x7F800001))))); /* of a payload that is cut off */
}
END_TEST

/* ---- samples ---- */

enum { IMAGES = 4, VALUES = 16 * 16 * 3 };

static void sample(float out[IMAGES * VALUES], maskdm_device *device, const char *path)
{
    maskdm_model *model;
    maskdm_sampler *sampler;
    maskdm_options *o;

    OK(maskdm_model_load(&model, device, path));
    OK(maskdm_options_create(&o, "sampler"));
    OK(maskdm_options_parse(o, "steps=20 seed=7"));
    OK(maskdm_sampler_create(&sampler, model, MASKDM_WEIGHTS_EMA, o, NULL));
    OK(maskdm_sampler_run(sampler, IMAGES, NULL, NULL, MASKDM_SAMPLE_FLOAT, out, 0, 0));
    maskdm_options_release(&o);
    maskdm_sampler_release(&sampler);
    maskdm_model_release(&model);
}

/* Fresh weights, which are no easier than trained ones. The bounds are those that doc/exchange.md states. */
START_TEST(samples_of_rounded_weights)
{
    static const double most[] = {0, 1e-3, 8e-3}, least[] = {0, 1e-6, 1e-5};
    static float exact[IMAGES * VALUES], rounded[IMAGES * VALUES];
    const char path[] = "unit_narrow.safetensors";
    maskdm_device *device;
    maskdm_model *model;
    maskdm_options *o;

    OK(maskdm_device_open(&device, "cpu", NULL));
    OK(maskdm_options_create(&o, "uvit"));
    OK(maskdm_options_parse(o, "image_size=16 patch_size=4 dim=64 depth=5 heads=2"));
    OK(maskdm_model_create(&model, device, "uvit", o, NULL, 3));
    OK(maskdm_model_save(model, path));
    sample(exact, device, path);
    for (int dtype = 0; mdm_narrow_dtype(dtype); dtype++) {
        double squares = 0;

        OK(mdm_model_save_as(model, dtype, path));
        sample(rounded, device, path);
        for (int i = 0; i < IMAGES * VALUES; i++)
            squares += ((double)rounded[i] - exact[i]) * ((double)rounded[i] - exact[i]);
        squares = sqrt(squares / (IMAGES * VALUES));
        ck_assert_msg(squares >= least[dtype] && squares <= most[dtype], "%s: %g", mdm_narrow_dtype(dtype), squares);
    }
    unlink(path);
    maskdm_options_release(&o);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

/* ---- archives ---- */

static const uint64_t giant = (uint64_t)5 << 30;

/* Behind its header come as many bytes as it has, none of which is written: a hole takes their place afterwards. */
static size_t write_around_a_hole(const char *path)
{
    struct mdm_zip_writer z = {0};
    struct mdm_text pickle = {0};
    struct mdm_crc32 table;
    size_t head;

    mdm_crc32_prepare(&table);
    mdm_pickle_begin(&pickle);
    mdm_pickle_open_dict(&pickle);
    mdm_pickle_text(&pickle, "step");
    mdm_pickle_int(&pickle, (int64_t)1 << 40);
    mdm_pickle_close_dict(&pickle);
    mdm_pickle_end(&pickle);
    OK(mdm_writer_open(&z.file, path));
    OK(mdm_zip_begin(&z, "a/data/0", giant, 0));
    head = (size_t)z.at;
    ck_assert_uint_eq(head % 64, 0);
    z.at += giant;
    OK(mdm_zip_begin(&z, "a/data.pkl", pickle.length, mdm_crc32_add(&table, 0, pickle.data, pickle.length)));
    OK(mdm_zip_put(&z, pickle.data, pickle.length));
    OK(mdm_zip_begin(&z, "a/version", 2, mdm_crc32_add(&table, 0, "3\n", 2)));
    OK(mdm_zip_put(&z, "3\n", 2));
    OK(mdm_zip_finish(&z));
    OK(mdm_writer_commit(&z.file));
    mdm_zip_drop(&z);
    mdm_text_free(&pickle);
    return head;
}

static void copy_with_hole(const char *from, const char *to, size_t head)
{
    static char bytes[4096];
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t n;

    ck_assert(in >= 0 && out >= 0);
    n = read(in, bytes, sizeof bytes);
    ck_assert(n > (ssize_t)head && n < (ssize_t)sizeof bytes);
    ck_assert_int_eq(pwrite(out, bytes, head, 0), (ssize_t)head);
    ck_assert_int_eq(pwrite(out, bytes + head, (size_t)n - head, (off_t)(head + giant)), n - (ssize_t)head);
    close(in);
    close(out);
}

/* Sizes and places beyond 32 bits are where the reader, which takes no byte on trust, looks for them. */
START_TEST(an_archive_beyond_32_bits)
{
    const char part[] = "unit_narrow.part", path[] = "unit_narrow.pt";
    struct mdm_tensorfile s;

    copy_with_hole(part, path, write_around_a_hole(part));
    OK(mdm_tensorfile_open(&s, path));
    ck_assert_int_eq(s.count, 0);
    ck_assert_str_eq(mdm_tensorfile_meta(&s, "step"), "1099511627776");
    mdm_tensorfile_close(&s);
    unlink(part);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("narrow");
    TCase *t = tcase_create("narrow");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_number_and_between, 0, 2);
    tcase_add_test(t, samples_of_rounded_weights);
    tcase_add_test(t, an_archive_beyond_32_bits);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
