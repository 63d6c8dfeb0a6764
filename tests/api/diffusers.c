/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folders that diffusers itself wrote (tests/compare/pipelines.py) become models with the same weights, which draw
 * from the same noise what its own pipelines drew, with the settings that the folder has and nothing else said.
 */
#include "rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 2, CHANNELS = 3, PIXELS = 64, VALUES = IMAGES * CHANNELS * PIXELS, BOUND_DRAWS = 16 };

#define OK(call) ck_assert_msg((call) >= 0, "%s: %s", #call, maskdm_last_error())

static const struct {
    const char *name, *sampler; /* what a pipeline is told in a call, and no folder says */
    int draws;
    const int32_t *labels;
} pipelines[] = {{"ddpm", "steps=10", 9, NULL},
                 {"ddim", "sampler=ddim steps=7 eta=0.5", 7, NULL},
                 {"dit", "steps=10", 9, (const int32_t[]){1, 0}}};

static char path[512], made[] = "diffusers-XXXXXX";

static maskdm_device *open_device(void)
{
    maskdm_device *device;

    OK(maskdm_device_open(&device, "cpu", NULL));
    return device;
}

static void convert(const char *name)
{
    maskdm_options *o = rig_options("convert", "");

    snprintf(path, sizeof path, "%s/%s", PIPELINES, name);
    OK(maskdm_options_set(o, "from", path));
    OK(maskdm_options_set(o, "out", made));
    OK(maskdm_convert(o, NULL));
    maskdm_options_release(&o);
}

/* [.., C, H, W] of the file to [.., H, W, C]; `images` of them. */
static void read_images(maskdm_file *file, const char *name, float *out, int images)
{
    static float turned[BOUND_DRAWS * VALUES];
    const int64_t at = maskdm_file_find(file, name);

    ck_assert_msg(at >= 0, "%s", name);
    ck_assert_int_eq(maskdm_file_elements(file, at), images * CHANNELS * PIXELS);
    OK(maskdm_file_read_f32(file, at, turned, (int64_t)images * CHANNELS * PIXELS));
    for (int b = 0; b < images; b++)
        for (int c = 0; c < CHANNELS; c++)
            for (int i = 0; i < PIXELS; i++)
                out[(b * PIXELS + i) * CHANNELS + c] = turned[(b * CHANNELS + c) * PIXELS + i];
}

START_TEST(the_same_noise_gives_the_same_images)
{
    static float x[VALUES], noise[BOUND_DRAWS * VALUES], image[VALUES];
    const int draws = pipelines[_i].draws;
    maskdm_options *o = rig_options("sampler", pipelines[_i].sampler);
    maskdm_device *device = open_device();
    maskdm_sampler *sampler;
    maskdm_model *model;
    maskdm_file *file;
    double worst = 0;

    convert(pipelines[_i].name);
    OK(maskdm_model_load(&model, device, made));
    OK(maskdm_sampler_create(&sampler, model, MASKDM_WEIGHTS_EMA, o, NULL));
    snprintf(path, sizeof path, "%s/%s.safetensors", PIPELINES, pipelines[_i].name);
    OK(maskdm_file_open(&file, path));
    read_images(file, "x_T", x, IMAGES);
    read_images(file, "image", image, IMAGES);
    read_images(file, "noise", noise, draws * IMAGES);
    OK(maskdm_sampler_run_from(sampler, IMAGES, x, noise, pipelines[_i].labels));
    for (int i = 0; i < VALUES; i++) {
        const double got = fmin(1, fmax(0, ((double)x[i] + 1) / 2));

        worst = fmax(worst, fabs(got - (double)image[i]));
    }
    ck_assert_msg(worst <= 1e-4, "%s: off by %g", pipelines[_i].name, worst);
    maskdm_file_release(&file);
    maskdm_sampler_release(&sampler);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
    maskdm_options_release(&o);
}
END_TEST

static void expect_same_tensors(const char *one, const char *other)
{
    maskdm_file *folder, *file;
    int64_t count = 0;

    OK(maskdm_file_open(&folder, one));
    OK(maskdm_file_open(&file, other));
    ck_assert_int_eq(maskdm_file_count(file), maskdm_file_count(folder));
    for (int64_t i = 0; i < maskdm_file_count(folder); i++) {
        const int64_t at = maskdm_file_find(file, maskdm_file_name(folder, i));
        const size_t bytes = (size_t)maskdm_file_bytes(folder, i);
        void *a = malloc(bytes), *b = malloc(bytes);

        ck_assert_msg(at >= 0 && maskdm_file_bytes(file, at) == (int64_t)bytes, "%s", maskdm_file_name(folder, i));
        OK(maskdm_file_read_raw(folder, i, a, bytes));
        OK(maskdm_file_read_raw(file, at, b, bytes));
        ck_assert_msg(!memcmp(a, b, bytes), "%s", maskdm_file_name(folder, i));
        count += (int64_t)(bytes / sizeof(float));
        free(a);
        free(b);
    }
    ck_assert_int_gt(count, 10000);
    maskdm_file_release(&folder);
    maskdm_file_release(&file);
}

/* Every weight has the bits that the folder has, under the name that it has there today. */
START_TEST(weights_have_the_same_bits)
{
    convert("ddpm");
    snprintf(path, sizeof path, "%s/ddpm/unet/diffusion_pytorch_model.safetensors", PIPELINES);
    expect_same_tensors(path, made);
}
END_TEST

static void network_of(const char *file, char out[1024])
{
    maskdm_file *f;

    OK(maskdm_file_open(&f, file));
    snprintf(out, 1024, "%s", maskdm_file_metadata(f, "maskdm.network.options"));
    maskdm_file_release(&f);
}

/* A transformer's matrices are cut and joined, and its embeddings stand in every block: out again, all is as it was.
 */
START_TEST(a_transformer_goes_out_as_it_came)
{
    static const char *const parts[] = {"transformer/diffusion_pytorch_model.safetensors",
                                        "transformer/config.json",
                                        "scheduler/scheduler_config.json",
                                        "transformer",
                                        "scheduler",
                                        ""};
    maskdm_options *o = rig_options("export", "format=diffusers"), *back = rig_options("convert", "");
    char folder[64], first[1024], second[1024], theirs[512];

    convert("dit");
    network_of(made, first);
    ck_assert_ptr_nonnull(strstr(first, "\"dit_form\": \"diffusers\""));
    snprintf(folder, sizeof folder, "%s.d", made);
    OK(maskdm_options_set(o, "model", made));
    OK(maskdm_options_set(o, "out", folder));
    OK(maskdm_export(o, NULL));
    snprintf(theirs, sizeof theirs, "%s/dit/%s", PIPELINES, parts[0]);
    snprintf(path, sizeof path, "%s/%s", folder, parts[0]);
    expect_same_tensors(theirs, path);
    OK(maskdm_options_set(back, "from", folder));
    OK(maskdm_options_set(back, "out", made));
    OK(maskdm_convert(back, NULL));
    network_of(made, second);
    ck_assert_str_eq(first, second);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        ck_assert_int_eq(remove(path), 0);
    }
    maskdm_options_release(&back);
    maskdm_options_release(&o);
}
END_TEST

/* The model's settings are where nothing else is said, and are kept with it; another sampler has its own. */
START_TEST(settings_are_kept)
{
    static const char *const words[] = {"\"sampler\": \"ddpm\"", "\"variance\": \"fixed_large\"", "\"clip\": true",
                                        "\"spacing\": \"leading\""};
    maskdm_file *file;
    const char *kept;

    convert("ddpm");
    OK(maskdm_file_open(&file, made));
    kept = maskdm_file_metadata(file, "maskdm.sampler.options");
    ck_assert_ptr_nonnull(kept);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_msg(strstr(kept, words[i]) != NULL, "%s", kept);
    maskdm_file_release(&file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("diffusers");
    TCase *t = tcase_create("diffusers");
    SRunner *r;
    const int handle = mkstemp(made);
    int failed;

    if (handle < 0)
        return EXIT_FAILURE;
    close(handle);
    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, the_same_noise_gives_the_same_images, 0, (int)(sizeof pipelines / sizeof *pipelines));
    tcase_add_test(t, weights_have_the_same_bits);
    tcase_add_test(t, a_transformer_goes_out_as_it_came);
    tcase_add_test(t, settings_are_kept);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    unlink(made);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
