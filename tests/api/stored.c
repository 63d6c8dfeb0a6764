/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models whose matrices lie in memory in 16 bits: they predict and draw, bit for bit, what a model of float32 does
 * that has the same values, by every instruction set and number of threads, and take half the memory; and what is
 * refused.
 */
#include "rig.h"

#include <stdio.h>
#include <unistd.h>

enum { MOST = 1 << 16, BATCH = 3, IMAGES = 5 };

#define FILE_NAME "api_stored.safetensors"

static const char *const types[] = {"bfloat16", "float16"};
static const char *const sets[] = {"c", "avx2", "avx512", "neon"};

static const struct {
    const char *name, *options;
    int64_t values; /* of an image */
    double share;   /* of the memory of float32 that is enough */
} networks[] = {
    {"uvit", "image_size=16 channels=3 patch_size=4 dim=64 depth=5 heads=2", 16 * 16 * 3, 0.53},
    {"dit", "image_size=8 channels=3 patch_size=2 dim=64 depth=2 heads=2 classes=3", 8 * 8 * 3, 0.53},
    {"jit", "image_size=8 channels=3 patch_size=2 dim=64 depth=2 heads=2 classes=3", 8 * 8 * 3, 0.57},
    {"unet", "image_size=8 channels=3 block_out_channels=16,32 norm_num_groups=4 layers_per_block=1", 8 * 8 * 3,
     0.56},
};

static maskdm_model *make(maskdm_device *d, int network)
{
    maskdm_options *o = rig_options(networks[network].name, networks[network].options);
    maskdm_model *m;

    MUST(maskdm_model_create(&m, d, networks[network].name, o, NULL, 5));
    maskdm_options_release(&o);
    return m;
}

static int64_t count_of(const maskdm_model *m, int64_t i)
{
    int64_t shape[8], n = 1;
    const int rank = maskdm_model_parameter_shape(m, i, shape, 8);

    for (int k = 0; k < rank; k++)
        n *= shape[k];
    ck_assert_int_le(n, MOST);
    return n;
}

/* Drawn weights are zero in places, and so would be what is predicted. */
static void stir(maskdm_model *m)
{
    static float value[MOST];

    for (int64_t i = 0; i < maskdm_model_parameter_count(m); i++) {
        const int64_t n = count_of(m, i);

        for (int64_t k = 0; k < n; k++)
            value[k] = (float)((k * 7919 + i * 104729) % 2003) / 10015 - 0.1f;
        MUST(maskdm_model_set_parameter(m, MASKDM_WEIGHTS_EMA, i, value, n));
    }
}

/* What `from` says of its weights becomes those of `to`. */
static void copy_values(maskdm_model *to, const maskdm_model *from)
{
    static float value[MOST];

    for (int64_t i = 0; i < maskdm_model_parameter_count(from); i++) {
        const int64_t n = count_of(from, i);

        MUST(maskdm_model_get_parameter(from, MASKDM_WEIGHTS_EMA, i, value, n));
        MUST(maskdm_model_set_parameter(to, MASKDM_WEIGHTS_EMA, i, value, n));
    }
}

static float *predict(maskdm_model *m, int64_t values)
{
    const double times[BATCH] = {3, 400, 900};
    float *x = malloc(sizeof *x * (size_t)(BATCH * values)), *out = malloc(sizeof *out * (size_t)(BATCH * values));

    ck_assert(x && out);
    for (int64_t i = 0; i < BATCH * values; i++)
        x[i] = (float)((i * 37) % 101) / 29 - 1.7f;
    MUST(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, BATCH, x, times, NULL, NULL, 0, out));
    free(x);
    return out;
}

static float *draw(maskdm_model *m, int64_t values)
{
    maskdm_sampler *s = rig_sampler(m, "steps=4 seed=7 batch_size=2");
    float *out = malloc(sizeof *out * (size_t)(IMAGES * values));

    ck_assert_ptr_nonnull(out);
    MUST(maskdm_sampler_run(s, IMAGES, NULL, NULL, MASKDM_SAMPLE_FLOAT, out, 0, 0));
    maskdm_sampler_release(&s);
    return out;
}

/* NULL where this machine or build has not the set. */
static maskdm_device *open_device(const char *set, const char *type, int threads)
{
    char text[128];
    maskdm_options *o;
    maskdm_device *d;
    int status;

    snprintf(text, sizeof text, "instruction_set=%s weight_type=%s threads=%d", set, type, threads);
    o = rig_options("device", text);
    status = maskdm_device_open(&d, "cpu", o);
    maskdm_options_release(&o);
    ck_assert(status == MASKDM_OK || status == MASKDM_ENOTSUP);
    return d;
}

static void expect_same(const char *what, float *got, float *want, int64_t n)
{
    ck_assert_msg(memcmp(got, want, (size_t)n * sizeof *got) == 0, "%s: other bits", what);
    free(got);
    free(want);
}

/* Of one file, on one set. */
static void compare(int network, const char *set, const char *type)
{
    const int64_t values = networks[network].values;
    maskdm_device *wide = open_device(set, "float32", 1), *narrow;
    maskdm_model *rounded, *stored;

    if (!wide)
        return;
    for (int threads = 1; threads <= 3; threads++) {
        narrow = open_device(set, type, threads);
        MUST(maskdm_model_load(&stored, narrow, FILE_NAME));
        rounded = make(wide, network);
        copy_values(rounded, stored);
        ck_assert_msg((double)maskdm_device_memory_used(narrow) <
                          networks[network].share * (double)maskdm_device_memory_used(wide),
                      "%s: %lld of %lld bytes", networks[network].name, (long long)maskdm_device_memory_used(narrow),
                      (long long)maskdm_device_memory_used(wide));
        expect_same("predictions", predict(stored, values), predict(rounded, values), BATCH * values);
        expect_same("images", draw(stored, values), draw(rounded, values), IMAGES * values);
        maskdm_model_release(&stored);
        maskdm_model_release(&rounded);
        maskdm_device_release(&narrow);
    }
    maskdm_device_release(&wide);
}

START_TEST(bits_are_those_of_rounded_weights)
{
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *m = make(d, _i);

    stir(m);
    MUST(maskdm_model_save(m, FILE_NAME));
    for (size_t type = 0; type < 2; type++)
        for (size_t set = 0; set < sizeof sets / sizeof *sets; set++)
            compare(_i, sets[set], types[type]);
    unlink(FILE_NAME);
    maskdm_model_release(&m);
    maskdm_device_release(&d);
}
END_TEST

/* A file of that type is in memory as it is: predictions are those of the same file in float32. */
START_TEST(a_file_of_16_bits_loses_nothing)
{
    const char *const from = "api_stored_wide.safetensors";
    maskdm_device *d = rig_device("threads=1"), *narrow = open_device("auto", types[_i], 1);
    maskdm_options *o = rig_options("export", "format=maskdm out=" FILE_NAME);
    maskdm_model *m = make(d, 0), *stored;

    stir(m);
    MUST(maskdm_model_save(m, from));
    MUST(maskdm_options_set(o, "model", from));
    MUST(maskdm_options_set(o, "dtype", _i ? "f16" : "bf16"));
    MUST(maskdm_export(o, NULL));
    maskdm_model_release(&m);
    MUST(maskdm_model_load(&m, d, FILE_NAME));
    MUST(maskdm_model_load(&stored, narrow, FILE_NAME));
    expect_same("predictions", predict(stored, networks[0].values), predict(m, networks[0].values),
                BATCH * networks[0].values);
    unlink(from);
    unlink(FILE_NAME);
    maskdm_model_release(&stored);
    maskdm_model_release(&m);
    maskdm_options_release(&o);
    maskdm_device_release(&narrow);
    maskdm_device_release(&d);
}
END_TEST

static void expect_refused(int status, const char *begins)
{
    ck_assert_msg(status == MASKDM_ENOTSUP, "%d: %s", status, maskdm_last_error());
    ck_assert_msg(strncmp(maskdm_last_error(), begins, strlen(begins)) == 0, "%s", maskdm_last_error());
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "needs weights of float32, and the device keeps those of its "
                                                      "models in bfloat16 (weight_type)"));
}

START_TEST(what_needs_float_is_refused)
{
    maskdm_device *d = open_device("auto", "bfloat16", 1);
    maskdm_model *m = make(d, 0), *other;
    maskdm_options *mo = rig_options("mask", ""), *lo = rig_options("lora", "rank=2");
    maskdm_options *o = rig_options("uvit", networks[0].options);
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
    maskdm_mask *mask;
    size_t size;

    MUST(maskdm_mask_create(&mask, mo));
    MUST(maskdm_optimizer_create(&optimizer, NULL, NULL));
    expect_refused(maskdm_trainer_create(&trainer, m, mask, optimizer, NULL, NULL), "training");
    expect_refused(maskdm_model_estimate(&size, d, "uvit", o, 1, 2, 0), "training");
    expect_refused(maskdm_model_save(m, FILE_NAME), "saving a model");
    expect_refused(maskdm_model_adapt(&other, m, MASKDM_WEIGHTS_EMA, lo, 1), "a model with adapters");
    ck_assert_int_ne(access(FILE_NAME, F_OK), 0);
    MUST(maskdm_model_estimate(&size, d, "uvit", o, 0, 2, 0));
    MUST(maskdm_model_clone(&other, m));
    expect_same("a copy's predictions", predict(other, networks[0].values), predict(m, networks[0].values),
                BATCH * networks[0].values);
    maskdm_model_release(&other);
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&mask);
    maskdm_options_release(&lo);
    maskdm_options_release(&mo);
    maskdm_options_release(&o);
    maskdm_model_release(&m);
    maskdm_device_release(&d);
}
END_TEST

START_TEST(a_value_that_does_not_fit_is_named)
{
    static float value[MOST];
    maskdm_device *wide = rig_device("threads=1"), *narrow = open_device("auto", "float16", 1);
    maskdm_model *m = make(wide, 0), *stored;
    const int64_t i = maskdm_model_parameter_find(m, "encoder.mid_block.attn.qkv.weight"), n = count_of(m, i);

    value[n - 2] = 1e6f;
    MUST(maskdm_model_set_parameter(m, MASKDM_WEIGHTS_EMA, i, value, n));
    MUST(maskdm_model_save(m, FILE_NAME));
    ck_assert_int_eq(maskdm_model_load(&stored, narrow, FILE_NAME), MASKDM_EINVAL);
    ck_assert_msg(strstr(maskdm_last_error(), "tensor \"encoder.mid_block.attn.qkv.weight\" holds 1e+06 at 12286 "
                                              "of 12288, which float16, up to 65504, makes infinite"),
                  "%s", maskdm_last_error());
    ck_assert_int_eq(maskdm_device_memory_used(narrow), 0);
    unlink(FILE_NAME);
    maskdm_model_release(&m);
    maskdm_device_release(&narrow);
    maskdm_device_release(&wide);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stored");
    TCase *t = tcase_create("stored");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, bits_are_those_of_rounded_weights, 0, sizeof networks / sizeof *networks);
    tcase_add_loop_test(t, a_file_of_16_bits_loses_nothing, 0, 2);
    tcase_add_test(t, what_needs_float_is_refused);
    tcase_add_test(t, a_value_that_does_not_fit_is_named);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
