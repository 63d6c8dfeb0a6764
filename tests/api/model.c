/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models through the public interface: creation, parameters, files, prediction, estimates, limits.
 */
#include "rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 8, VALUES = SIDE * SIDE * 3, BATCH = 5 };

#define OK(call) ck_assert_msg((call) == MASKDM_OK, "%s: %s", #call, maskdm_last_error())
#define FAILS(code, part, call)                                                                             \
    do {                                                                                                    \
        int status_ = (call);                                                                               \
        ck_assert_msg(status_ == (code), "%s is %d: %s", #call, status_, maskdm_last_error());              \
        ck_assert_msg(strstr(maskdm_last_error(), (part)) != NULL, "\"%s\" is not in \"%s\"", (part),       \
                      maskdm_last_error());                                                                 \
    } while (0)

static const char network[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5";
static maskdm_device *device;
static maskdm_model *model;
static char path[300];

static maskdm_model *make(const char *text, uint64_t seed)
{
    maskdm_options *o = rig_options("uvit", text);
    maskdm_model *m;

    OK(maskdm_model_create(&m, device, "uvit", o, NULL, seed));
    maskdm_options_release(&o);
    return m;
}

static void setup(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/maskdm-model-%ld.safetensors", base ? base : "/tmp", (long)getpid());
    OK(maskdm_device_open(&device, "cpu", NULL));
    model = make(network, 7);
}

static void teardown(void)
{
    maskdm_model_release(&model);
    ck_assert_ptr_null(model);
    ck_assert_uint_eq(maskdm_device_memory_used(device), 0);
    maskdm_device_release(&device);
    unlink(path);
}

static int64_t elements(const maskdm_model *m, int64_t i)
{
    int64_t shape[4], n = 1;
    int rank = maskdm_model_parameter_shape(m, i, shape, 4);

    for (int d = 0; d < rank; d++)
        n *= shape[d];
    return n;
}

static int same_weights(const maskdm_model *a, const maskdm_model *b, enum maskdm_weights which)
{
    int same = maskdm_model_parameter_count(a) == maskdm_model_parameter_count(b);

    for (int64_t i = 0; same && i < maskdm_model_parameter_count(a); i++) {
        int64_t n = elements(a, i);
        float *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);

        OK(maskdm_model_get_parameter(a, which, i, x, n));
        OK(maskdm_model_get_parameter(b, which, i, y, n));
        same = memcmp(x, y, (size_t)n * sizeof *x) == 0;
        free(x);
        free(y);
    }
    return same;
}

static char *read_file(size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    char *data = malloc(1 << 20);

    ck_assert_ptr_nonnull(f);
    *bytes = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

START_TEST(facts)
{
    char json[600];
    size_t needed;
    int64_t sum = 0, i;

    ck_assert_str_eq(maskdm_model_network(model), "uvit");
    ck_assert_int_eq(maskdm_model_height(model), 8);
    ck_assert_int_eq(maskdm_model_width(model), 8);
    ck_assert_int_eq(maskdm_model_channels(model), 3);
    ck_assert_int_eq(maskdm_model_patch_size(model), 2);
    ck_assert_int_eq(maskdm_model_classes(model), 5);
    ck_assert_int_eq(maskdm_model_has_online(model), 0);
    OK(maskdm_model_options_json(model, json, sizeof json, &needed));
    ck_assert_uint_eq(needed, strlen(json) + 1);
    ck_assert_ptr_nonnull(strstr(json, "\"dim\": 16"));
    for (i = 0; i < maskdm_model_parameter_count(model); i++) {
        sum += elements(model, i);
        ck_assert_int_eq(maskdm_model_parameter_find(model, maskdm_model_parameter_name(model, i)), i);
    }
    ck_assert_int_eq(sum, maskdm_model_parameter_elements(model));
    ck_assert_ptr_null(maskdm_model_parameter_name(model, i));
    ck_assert_int_eq(maskdm_model_parameter_find(model, "no such"), MASKDM_ENOTFOUND);
}
END_TEST

START_TEST(parameters)
{
    maskdm_model *clone, *other = make(network, 8), *again = make(network, 7);
    float bias[16], back[16];
    int64_t i = maskdm_model_parameter_find(model, "encoder.norm.bias");

    ck_assert(same_weights(model, again, MASKDM_WEIGHTS_EMA));
    ck_assert(!same_weights(model, other, MASKDM_WEIGHTS_EMA));
    OK(maskdm_model_clone(&clone, model));
    for (int k = 0; k < 16; k++)
        bias[k] = (float)k;
    OK(maskdm_model_set_parameter(clone, MASKDM_WEIGHTS_EMA, i, bias, 16));
    OK(maskdm_model_get_parameter(clone, MASKDM_WEIGHTS_ONLINE, i, back, 16));
    ck_assert_mem_eq(bias, back, sizeof bias);
    ck_assert(same_weights(model, again, MASKDM_WEIGHTS_EMA));
    FAILS(MASKDM_ESHAPE, "16 elements, not 15", maskdm_model_get_parameter(model, MASKDM_WEIGHTS_EMA, i, back, 15));
    FAILS(MASKDM_EINVAL, "outside", maskdm_model_get_parameter(model, MASKDM_WEIGHTS_EMA, -1, back, 16));
    FAILS(MASKDM_EINVAL, "outside", maskdm_model_get_parameter(model, MASKDM_WEIGHTS_EMA,
                                                               maskdm_model_parameter_count(model), back, 16));
    maskdm_model_release(&clone);
    maskdm_model_release(&other);
    maskdm_model_release(&again);
}
END_TEST

START_TEST(files)
{
    maskdm_model *back;
    maskdm_scheduler *scheduler;
    char *bytes, *again;
    size_t n, m;

    OK(maskdm_model_save(model, path));
    bytes = read_file(&n);
    OK(maskdm_model_load(&back, device, path));
    ck_assert(same_weights(model, back, MASKDM_WEIGHTS_EMA));
    OK(maskdm_model_scheduler(&scheduler, back));
    ck_assert_int_eq(maskdm_scheduler_table(scheduler, "betas", NULL, 0), 1000);
    maskdm_scheduler_release(&scheduler);
    OK(maskdm_model_save(back, path));
    again = read_file(&m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(bytes, again, n);
    maskdm_model_release(&back);
    OK(maskdm_model_load_memory(&back, device, bytes, n));
    ck_assert(same_weights(model, back, MASKDM_WEIGHTS_EMA));
    maskdm_model_release(&back);
    for (size_t cut = 0; cut < n; cut += 1 + n / 60) {
        FAILS(MASKDM_EFORMAT, "", maskdm_model_load_memory(&back, device, bytes, cut));
        ck_assert_ptr_null(back);
    }
    for (size_t k = 1; k <= 64; k++) { /* infinity, in any place */
        static const unsigned char infinity[4] = {0, 0, 0x80, 0x7f};
        unsigned char kept[4];

        memcpy(kept, bytes + n - 4 * k, 4);
        memcpy(bytes + n - 4 * k, infinity, 4);
        FAILS(MASKDM_EFORMAT, "not finite", maskdm_model_load_memory(&back, device, bytes, n));
        memcpy(bytes + n - 4 * k, kept, 4);
    }
    memset(bytes + n - 4, 0xff, 4); /* a NaN */
    FAILS(MASKDM_EFORMAT, "not finite", maskdm_model_load_memory(&back, device, bytes, n));
    FAILS(MASKDM_ENOTFOUND, "/no/such", maskdm_model_load(&back, device, "/no/such"));
    free(bytes);
    free(again);
}
END_TEST

/* Metadata and tensors as a file writer can put them, `change` names what is wrong. */
static void write_variant(const char *change)
{
    maskdm_file_writer *w;
    maskdm_file *f;
    float spare[64] = { 0 }, *values[64] = { 0 };

    OK(maskdm_model_save(model, path));
    OK(maskdm_file_open(&f, path));
    OK(maskdm_file_writer_create(&w));
    for (int64_t i = 0; i < maskdm_file_metadata_count(f); i++) {
        const char *key = maskdm_file_metadata_key(f, i), *value = maskdm_file_metadata_value(f, i);

        if (strcmp(change, "network") == 0 && strcmp(key, "maskdm.network") == 0)
            value = "gan";
        if (strcmp(change, "version") == 0 && strcmp(key, "maskdm.format") == 0)
            value = "99";
        if (strcmp(change, "digits") == 0 && strcmp(key, "maskdm.format") == 0)
            value = "1.0";
        if (strcmp(change, "option") == 0 && strcmp(key, "maskdm.network.options") == 0)
            value = "{\"colour\":3}";
        if (strcmp(change, "labels") == 0 && strcmp(key, "maskdm.network") == 0)
            OK(maskdm_file_writer_metadata(w, "maskdm.labels", "[\"a\", 7]"));
        if (strcmp(change, key) != 0)
            OK(maskdm_file_writer_metadata(w, key, value));
    }
    for (int64_t i = 0; i < maskdm_file_count(f); i++) {
        int64_t shape[4], n = maskdm_file_elements(f, i);
        int rank = maskdm_file_shape(f, i, shape, 4);

        values[i] = malloc((size_t)n * sizeof(float));
        OK(maskdm_file_read_f32(f, i, values[i], n));
        if (strcmp(change, "shape") == 0 && strcmp(maskdm_file_name(f, i), "encoder.norm.bias") == 0)
            shape[0] = 8;
        if (strcmp(change, maskdm_file_name(f, i)) != 0)
            OK(maskdm_file_writer_add(w, maskdm_file_name(f, i), "F32", shape, rank, values[i]));
    }
    if (strcmp(change, "extra") == 0)
        OK(maskdm_file_writer_add(w, "spare", "F32", (const int64_t[]){ 64 }, 1, spare));
    OK(maskdm_file_writer_save(w, path));
    maskdm_file_writer_release(&w);
    maskdm_file_release(&f);
    for (int i = 0; i < 64; i++)
        free(values[i]);
}

/* Through copies, files and trainers; without names there is no entry, as in older files. */
START_TEST(names_of_labels)
{
    static const char *const names[] = {"ape", "caf\xe9", "x"}, *const many[] = {"0", "1", "2", "3", "4", "5"};
    maskdm_optimizer *optimizer;
    maskdm_trainer *t;
    maskdm_model *m;
    maskdm_file *f;

    ck_assert_int_eq(maskdm_model_label_count(model), 0);
    ck_assert_ptr_null(maskdm_model_label_name(model, 0));
    OK(maskdm_model_save(model, path));
    OK(maskdm_file_open(&f, path));
    ck_assert_ptr_null(maskdm_file_metadata(f, "maskdm.labels"));
    maskdm_file_release(&f);
    OK(maskdm_model_load(&m, device, path));
    ck_assert_int_eq(maskdm_model_label_count(m), 0);
    maskdm_model_release(&m);

    OK(maskdm_model_set_labels(model, names, 3));
    FAILS(MASKDM_EINVAL, "more than 5 names", maskdm_model_set_labels(model, many, 6));
    FAILS(MASKDM_EINVAL, "count is -1", maskdm_model_set_labels(model, many, -1));
    FAILS(MASKDM_EINVAL, "names is NULL", maskdm_model_set_labels(model, NULL, 2));
    ck_assert_int_eq(maskdm_model_set_labels(NULL, names, 2), MASKDM_EINVAL);
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    OK(maskdm_trainer_create(&t, model, NULL, optimizer, NULL, NULL));
    OK(maskdm_trainer_save(t, path));
    OK(maskdm_file_open(&f, path));
    ck_assert_str_eq(maskdm_file_metadata(f, "maskdm.labels"), "[\"ape\", \"caf\\uefe9\", \"x\"]");
    maskdm_file_release(&f);
    OK(maskdm_trainer_model(&m, t));
    maskdm_trainer_release(&t);
    maskdm_optimizer_release(&optimizer);
    OK(maskdm_model_save(m, path));
    maskdm_model_release(&m);
    OK(maskdm_model_load(&m, device, path));
    ck_assert_int_eq(maskdm_model_label_count(m), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(maskdm_model_label_name(m, i), names[i]);
    ck_assert_ptr_null(maskdm_model_label_name(m, 3));
    ck_assert_ptr_null(maskdm_model_label_name(m, -1));
    OK(maskdm_model_set_labels(m, NULL, 0));
    ck_assert_int_eq(maskdm_model_label_count(m), 0);
    maskdm_model_release(&m);
    OK(maskdm_model_clone(&m, model));
    ck_assert_str_eq(maskdm_model_label_name(m, 1), names[1]);
    maskdm_model_release(&m);
}
END_TEST

/* A state's names go into a trainer that has none; one that has others keeps them, and says so. */
static void keep_line(void *user, int level, const char *line)
{
    if (level == MASKDM_LOG_WARN)
        snprintf(user, 200, "%s", line);
}

START_TEST(names_of_labels_in_a_state)
{
    static const char *const names[] = {"ape", "bat"}, *const other[] = {"ape", "cat"};
    char told[200] = "";
    maskdm_optimizer *optimizer[3];
    maskdm_trainer *t[3];
    maskdm_control *control;
    maskdm_model *m;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, keep_line, told);
    for (int i = 0; i < 3; i++) {
        OK(maskdm_model_set_labels(model, i == 1 ? NULL : i == 0 ? names : other, i == 1 ? 0 : 2));
        OK(maskdm_optimizer_create(&optimizer[i], NULL, NULL));
        OK(maskdm_trainer_create(&t[i], model, NULL, optimizer[i], NULL, control));
    }
    OK(maskdm_trainer_save(t[0], path));
    for (int i = 1; i < 3; i++) {
        OK(maskdm_trainer_load(t[i], path));
        OK(maskdm_trainer_model(&m, t[i]));
        ck_assert_str_eq(maskdm_model_label_name(m, 1), i == 1 ? "bat" : "cat");
        maskdm_model_release(&m);
        ck_assert_str_eq(told, i == 1 ? "" : "label 1 is bat in the file and cat in this trainer");
    }
    for (int i = 0; i < 3; i++) {
        maskdm_trainer_release(&t[i]);
        maskdm_optimizer_release(&optimizer[i]);
    }
    maskdm_control_release(&control);
}
END_TEST

START_TEST(files_that_are_wrong)
{
    const struct {
        const char *change, *part;
        int code;
    } wrong[] = { { "network", "gan", MASKDM_EVERSION },
                  { "version", "format 99; format 1 is read", MASKDM_EVERSION },
                  { "maskdm.format", "before its files had a format; format 1 is read", MASKDM_EVERSION },
                  { "digits", "\"1.0\", not a number", MASKDM_EFORMAT },
                  { "option", "colour", MASKDM_EFORMAT },
                  { "maskdm.network", "not a maskdm model", MASKDM_EFORMAT },
                  { "maskdm.scheduler.options", "missing", MASKDM_EFORMAT },
                  { "labels", "label 1 is no string", MASKDM_EFORMAT },
                  { "shape", "[8], the network needs [16]", MASKDM_EFORMAT },
                  { "encoder.norm.weight", "encoder.norm.weight", MASKDM_EFORMAT },
                  { "extra", "spare", MASKDM_EFORMAT } };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        maskdm_model *back;

        write_variant(wrong[i].change);
        FAILS(wrong[i].code, wrong[i].part, maskdm_model_load(&back, device, path));
        ck_assert_ptr_nonnull(strstr(maskdm_last_error(), path));
        ck_assert_ptr_null(back);
    }
}
END_TEST

static float x_t[BATCH][VALUES], dense[BATCH][VALUES], alone[VALUES], visible[BATCH][3 * 12];
static const double times[BATCH] = { 0, 999, 500.25, -1, 998.5 };
static const int32_t labels[BATCH] = { 0, 4, -1, 2, 1 };

START_TEST(prediction)
{
    const int32_t every_third[BATCH][3] = { { 0, 1, 2 }, { 3, 5, 9 }, { 13, 14, 15 }, { 0, 7, 15 }, { 4, 5, 6 } };
    const double wild[BATCH] = { 0, 0, 0, 0, 1001 };
    const int32_t wrong[BATCH] = { 0, 0, 0, 5, 0 };

    for (int b = 0; b < BATCH; b++)
        for (int k = 0; k < VALUES; k++)
            x_t[b][k] = (float)sin(b + 0.1 * k);
    OK(maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, BATCH, *x_t, times, labels, NULL, 0, *dense));
    for (int b = 0; b < BATCH; b++) {
        OK(maskdm_model_predict(model, MASKDM_WEIGHTS_ONLINE, 1, x_t[b], times + b, labels + b, NULL, 0, alone));
        ck_assert_mem_eq(alone, dense[b], sizeof alone);
    }
    OK(maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, BATCH, *x_t, times, labels, *every_third, 3, *visible));
    for (int k = 0; k < 3 * 12; k++)
        ck_assert(isfinite(visible[2][k]));
    OK(maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, BATCH, *x_t, times, NULL, NULL, 0, *dense));
    OK(maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, 1, x_t[0], times, NULL, NULL, 0, alone));
    ck_assert_mem_eq(alone, dense[0], sizeof alone);
    FAILS(MASKDM_EINVAL, "1001",
          maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, BATCH, *x_t, wild, NULL, NULL, 0, *dense));
    FAILS(MASKDM_EINVAL, "label 5 of image 3",
          maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, BATCH, *x_t, times, wrong, NULL, 0, *dense));
    FAILS(MASKDM_EINVAL, "17 visible",
          maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, BATCH, *x_t, times, NULL, *every_third, 17, *dense));
    FAILS(MASKDM_EINVAL, "batch",
          maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, 0, *x_t, times, NULL, NULL, 0, *dense));
}
END_TEST

START_TEST(estimates)
{
    maskdm_options *o = rig_options("uvit", "image_size=64 patch_size=4 dim=512 depth=13 heads=8"), *t, *n;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
    size_t masked, whole, sampling, held = maskdm_device_memory_used(device), claim;

    OK(maskdm_model_estimate(&masked, device, "uvit", o, 1, 64, 28));
    OK(maskdm_model_estimate(&whole, device, "uvit", o, 1, 64, 0));
    OK(maskdm_model_estimate(&sampling, device, "uvit", o, 0, 16, 0));
    ck_assert_uint_gt(masked, 5u * 44 * 1000 * 1000 * 4);
    ck_assert_uint_gt(whole, 2 * masked);
    ck_assert_uint_lt(sampling, masked);
    ck_assert_uint_eq(maskdm_device_memory_used(device), held);
    FAILS(MASKDM_ENOTFOUND, "gan", maskdm_model_estimate(&whole, device, "gan", NULL, 1, 64, 0));
    FAILS(MASKDM_EINVAL, "257", maskdm_model_estimate(&whole, device, "uvit", o, 1, 64, 257));
    maskdm_options_release(&o);

    n = rig_options("uvit", network);
    t = rig_options("trainer", "batch_size=16");
    OK(maskdm_model_estimate(&claim, device, "uvit", n, 1, 16, 0));
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    OK(maskdm_trainer_create(&trainer, model, NULL, optimizer, t, NULL));
    ck_assert_uint_eq(maskdm_device_memory_used(device) - held, claim);
    maskdm_trainer_release(&trainer);
    maskdm_optimizer_release(&optimizer);
    maskdm_options_release(&n);
    maskdm_options_release(&t);
}
END_TEST

START_TEST(what_is_refused)
{
    const char *const bad[][2] = { { "image_size=9 patch_size=2 dim=16 depth=3 heads=2", "9" },
                                   { "image_size=8 patch_size=2 dim=16 depth=3 heads=3", "3" } };
    maskdm_options *o = rig_options("device", "memory_limit=20000 threads=1"), *n = rig_options("uvit", network);
    maskdm_device *small;
    maskdm_model *m;

    for (size_t i = 0; i < 2; i++) {
        maskdm_options *b = rig_options("uvit", bad[i][0]);

        FAILS(MASKDM_EINVAL, bad[i][1], maskdm_model_create(&m, device, "uvit", b, NULL, 1));
        ck_assert_ptr_null(m);
        maskdm_options_release(&b);
    }
    FAILS(MASKDM_ENOTFOUND, "gan", maskdm_model_create(&m, device, "gan", NULL, NULL, 1));
    FAILS(MASKDM_EINVAL, "device", maskdm_model_create(&m, NULL, "uvit", NULL, NULL, 1));
    OK(maskdm_device_open(&small, "cpu", o));
    FAILS(MASKDM_ENOMEM, "20000", maskdm_model_create(&m, small, "uvit", n, NULL, 1));
    ck_assert_uint_eq(maskdm_device_memory_used(small), 0);
    maskdm_device_release(&small);
    maskdm_options_release(&o);
    maskdm_options_release(&n);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = tcase_create("model");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, facts);
    tcase_add_test(tests, parameters);
    tcase_add_test(tests, files);
    tcase_add_test(tests, names_of_labels);
    tcase_add_test(tests, names_of_labels_in_a_state);
    tcase_add_test(tests, files_that_are_wrong);
    tcase_add_test(tests, prediction);
    tcase_add_test(tests, estimates);
    tcase_add_test(tests, what_is_refused);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
