/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A checkpoint in the authors' layout becomes a model with the same weights; and when memory or the disk fails in the
 * middle, the call says so, leaks nothing and leaves no file.
 */
#include "../unit/archive.h"

#include <maskdm/maskdm.h>

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "run/convert_find.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(expr) ck_assert_msg((expr) == MASKDM_OK, "%s", maskdm_last_error())

static const char from[] = "convert-from.pt", out[] = "convert-out.safetensors";

static maskdm_device *open_device(void)
{
    maskdm_options *o;
    maskdm_device *device;

    OK(maskdm_options_create(&o, "device"));
    OK(maskdm_options_parse(o, "threads=1"));
    OK(maskdm_device_open(&device, "cpu", o));
    maskdm_options_release(&o);
    return device;
}

static maskdm_model *make_model(maskdm_device *device, const char *options)
{
    maskdm_options *o;
    maskdm_model *model;

    OK(maskdm_options_create(&o, "uvit"));
    OK(maskdm_options_parse(o, options));
    OK(maskdm_model_create(&model, device, "uvit", o, NULL, 7));
    maskdm_options_release(&o);
    return model;
}

/* Fresh memory with parameter i; the online weights of the checkpoint are the model's negated. */
static float *weights(const maskdm_model *model, int64_t i, int negate, int64_t *count)
{
    int64_t shape[8];
    const int rank = maskdm_model_parameter_shape(model, i, shape, 8);
    float *x;

    *count = 1;
    for (int d = 0; d < rank; d++)
        *count *= shape[d];
    x = malloc((size_t)*count * sizeof *x);
    ck_assert_ptr_nonnull(x);
    OK(maskdm_model_get_parameter(model, MASKDM_WEIGHTS_EMA, i, x, *count));
    for (int64_t k = 0; negate && k < *count; k++)
        x[k] = -x[k];
    return x;
}

/* {"model.NAME": ...}, one storage each. */
static void put_weights(struct bytes *pickle, struct archive *a, const maskdm_model *model, int negate)
{
    put_string(pickle, "ccollections\nOrderedDict\n)R(");
    for (int64_t i = 0; i < maskdm_model_parameter_count(model); i++) {
        char name[256], entry[64];
        int64_t shape[8], stride[8], count;
        const int rank = maskdm_model_parameter_shape(model, i, shape, 8);
        float *x = weights(model, i, negate, &count);

        for (int d = rank; d-- > 0;)
            stride[d] = d == rank - 1 ? 1 : stride[d + 1] * shape[d + 1];
        snprintf(name, sizeof name, "model.%s", maskdm_model_parameter_name(model, i));
        snprintf(entry, sizeof entry, "x/data/%d%d", negate, (int)i);
        put_text(pickle, name);
        put_tensor(pickle, "Float", entry + strlen("x/data/"), count, 0, shape, stride, rank);
        add_entry(a, entry, x, (size_t)count * sizeof *x);
        free(x);
    }
    put_string(pickle, "u");
}

static void save_checkpoint(const maskdm_model *model, int ema)
{
    struct bytes pickle = {0};
    struct archive a = {0};
    FILE *file = fopen(from, "wb");

    ck_assert_ptr_nonnull(file);
    put_string(&pickle, "\x80\x02}(");
    put_text(&pickle, "step");
    put_string(&pickle, "K\x05");
    put_text(&pickle, "model");
    put_weights(&pickle, &a, model, ema);
    if (ema) {
        put_text(&pickle, "ema");
        put_string(&pickle, "}");
        put_text(&pickle, "ema_model");
        put_weights(&pickle, &a, model, 0);
        put_string(&pickle, "s");
    }
    put_string(&pickle, "u.");
    add_entry(&a, "x/data.pkl", pickle.data, pickle.size);
    end_archive(&a);
    ck_assert_uint_eq(fwrite(a.file.data, 1, a.file.size, file), a.file.size);
    fclose(file);
    free_archive(&a);
    free(pickle.data);
}

static int convert(const char *more)
{
    maskdm_options *o = NULL;
    int status = maskdm_options_create(&o, "convert");

    if (status == MASKDM_OK)
        status = maskdm_options_set(o, "from", from);
    if (status == MASKDM_OK)
        status = maskdm_options_set(o, "out", out);
    if (status == MASKDM_OK)
        status = maskdm_options_parse(o, more);
    if (status == MASKDM_OK)
        status = maskdm_convert(o, NULL);
    maskdm_options_release(&o);
    return status;
}

static void check_weights(const maskdm_model *made, const maskdm_model *model, enum maskdm_weights which, int negate)
{
    ck_assert_int_eq(maskdm_model_parameter_count(made), maskdm_model_parameter_count(model));
    for (int64_t i = 0; i < maskdm_model_parameter_count(model); i++) {
        int64_t count;
        float *expected = weights(model, i, negate, &count), *got = malloc((size_t)count * sizeof *got);

        ck_assert_ptr_nonnull(got);
        OK(maskdm_model_get_parameter(made, which, i, got, count));
        ck_assert_msg(memcmp(got, expected, (size_t)count * sizeof *got) == 0, "%s",
                      maskdm_model_parameter_name(model, i));
        free(expected);
        free(got);
    }
}

/* What no weight shows, such as which of two programs has the names, is right as well. */
static void check_predictions(maskdm_model *made, maskdm_model *model)
{
    enum { MOST = 16 * 16 * 3 };
    static const double time = 345.5;
    static const int32_t label = -1;
    static float x[MOST], y[2][MOST];
    const size_t n = (size_t)(maskdm_model_height(model) * maskdm_model_width(model) * maskdm_model_channels(model));

    ck_assert_uint_le(n, MOST);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 17) / 8 - 1;
    OK(maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, 1, x, &time, &label, NULL, 0, y[0]));
    OK(maskdm_model_predict(made, MASKDM_WEIGHTS_EMA, 1, x, &time, &label, NULL, 0, y[1]));
    ck_assert_mem_eq(y[0], y[1], n * sizeof *x);
}

static const char *const networks[] = {
    "image_size=8 patch_size=4 dim=64 depth=1 heads=1 channels=1",
    "image_size=16 patch_size=8 dim=128 depth=4 heads=2 mlp_ratio=1.5 qkv_bias=true time_mlp=true classes=3",
    "form=original conv=true image_size=16 patch_size=8 dim=128 depth=3 heads=2 qkv_bias=true time_mlp=true "
    "classes=3",
    "form=original image_size=8 patch_size=2 dim=64 depth=5 heads=1 channels=2 mlp_ratio=2",
};

START_TEST(same_weights)
{
    maskdm_device *device = open_device();

    for (size_t i = 0; i < MDM_LENGTH(networks); i++)
        for (int ema = 0; ema < 2; ema++) {
            maskdm_model *model = make_model(device, networks[i]), *made;

            save_checkpoint(model, ema);
            OK(convert(""));
            OK(maskdm_model_load(&made, device, out));
            ck_assert_int_eq(maskdm_model_has_online(made), ema);
            check_weights(made, model, MASKDM_WEIGHTS_EMA, 0);
            check_weights(made, model, MASKDM_WEIGHTS_ONLINE, ema);
            ck_assert_int_eq(maskdm_model_classes(made), maskdm_model_classes(model));
            ck_assert_int_eq(maskdm_model_height(made), maskdm_model_height(model));
            check_predictions(made, model);
            maskdm_model_release(&made);
            maskdm_model_release(&model);
        }
    maskdm_device_release(&device);
}
END_TEST

START_TEST(wrong_arguments)
{
    maskdm_options *o;

    ck_assert_int_eq(maskdm_convert(NULL, NULL), MASKDM_EINVAL);
    OK(maskdm_options_create(&o, "sample"));
    ck_assert_int_eq(maskdm_convert(o, NULL), MASKDM_EINVAL);
    maskdm_options_release(&o);
    OK(maskdm_options_create(&o, "convert"));
    ck_assert_int_eq(maskdm_convert(o, NULL), MASKDM_EINVAL);
    maskdm_options_release(&o);
    ck_assert_int_eq(convert("heads=3"), MASKDM_EINVAL);
}
END_TEST

static int refuse_nth(void *user, size_t bytes)
{
    long *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

static int fail_nth(void *user, const char *operation, const char *path)
{
    long *left = user;

    (void)path;
    return strcmp(operation, "close") && strcmp(operation, "unlink") && (*left)-- == 0 ? 5 /* EIO */ : 0;
}

START_TEST(everything_refused)
{
    maskdm_device *device = open_device();
    maskdm_model *model = make_model(device, networks[0]);
    long live = mdm_alloc_live(), n = 0, left;
    struct mdm_alloc_hook memory = {refuse_nth, &left};
    struct mdm_file_hook disk = {fail_nth, &left};
    int status;

    save_checkpoint(model, 1);
    do {
        unlink(out);
        left = n++;
        mdm_alloc_hook_set(&memory);
        status = convert("");
        mdm_alloc_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "%d %s", status, maskdm_last_error());
        ck_assert_int_eq(mdm_alloc_live(), live);
        ck_assert_msg(status == MASKDM_OK || access(out, F_OK), "a file after a failure");
    } while (status);
    ck_assert_int_gt(n, 100);
    n = 0;
    do {
        unlink(out);
        left = n++;
        mdm_file_hook_set(&disk);
        status = convert("");
        mdm_file_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_EIO, "%d %s", status, maskdm_last_error());
        ck_assert_int_eq(mdm_alloc_live(), live);
    } while (left < 0); /* the hook had its turn */
    ck_assert_int_gt(n, 20);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

static maskdm_options *export_options(const char *path, const char *more)
{
    maskdm_options *o;

    OK(maskdm_options_create(&o, "export"));
    OK(maskdm_options_set(o, "model", out));
    OK(maskdm_options_set(o, "out", path));
    OK(maskdm_options_parse(o, more));
    return o;
}

/* The way out: whatever is refused, there is the whole file or none, and nothing is kept. */
START_TEST(export_refused)
{
    static const struct {
        const char *path, *options;
    } cases[] = {
        {"convert-out.pt", "dtype=f16"}, {"convert-half.safetensors", "dtype=bf16"}, {"convert-out.pth", ""}};
    const char *path = cases[_i].path;
    maskdm_options *o = export_options(path, cases[_i].options);
    maskdm_device *device = open_device();
    maskdm_model *model = make_model(device, networks[0]);
    long live, n = 0, left;
    struct mdm_alloc_hook memory = {refuse_nth, &left};
    struct mdm_file_hook disk = {fail_nth, &left};
    int status;

    OK(maskdm_model_save(model, out));
    live = mdm_alloc_live();
    do {
        left = n++;
        mdm_alloc_hook_set(&memory);
        status = maskdm_export(o, NULL);
        mdm_alloc_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "%d %s", status, maskdm_last_error());
        ck_assert_int_eq(mdm_alloc_live(), live);
        ck_assert_msg(status == MASKDM_OK || access(path, F_OK), "a file after a failure");
    } while (status);
    ck_assert_int_gt(n, 100);
    n = 0;
    do {
        unlink(path);
        left = n++;
        mdm_file_hook_set(&disk);
        status = maskdm_export(o, NULL);
        mdm_file_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_EIO, "%d %s", status, maskdm_last_error());
        ck_assert_int_eq(mdm_alloc_live(), live);
    } while (left < 0); /* the hook had its turn */
    ck_assert_int_gt(n, 10);
    unlink(path);
    maskdm_options_release(&o);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

/* As many networks as are counted, and one more. */
START_TEST(too_many_networks)
{
    static char name[MDM_PLACES + 1][64];
    static struct mdm_tensorfile_tensor tensor[MDM_PLACES + 1];
    struct mdm_places *found = malloc(sizeof *found);
    struct mdm_tensorfile s = {.tensor = tensor};

    for (int i = 0; i <= MDM_PLACES; i++) {
        snprintf(name[i], sizeof name[i], "net%d.encoder.encoder_pos_embed", i);
        tensor[i].name = name[i];
    }
    s.count = MDM_PLACES;
    ck_assert_int_eq(mdm_convert_find(found, &s, "", ""), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "weights of more than one network"));
    s.count++;
    ck_assert_int_eq(mdm_convert_find(found, &s, "", ""), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "more than 64 networks"));
    free(found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convert");
    TCase *tests = tcase_create("convert");
    char folder[] = "convert-XXXXXX";
    SRunner *runner;
    int failed;

    if (!mkdtemp(folder) || chdir(folder))
        return EXIT_FAILURE;
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, same_weights);
    tcase_add_test(tests, wrong_arguments);
    tcase_add_test(tests, too_many_networks);
    tcase_add_test(tests, everything_refused);
    tcase_add_loop_test(tests, export_refused, 0, 3);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    unlink(from);
    unlink(out);
    if (!chdir(".."))
        rmdir(folder);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
