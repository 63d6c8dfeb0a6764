/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tiny network, its data and a trainer, made through the public interface, and what tests of whole runs share.
 * Images are smooth blobs, a function of their index alone.
 */
#ifndef TEST_TRAIN_TINY_H
#define TEST_TRAIN_TINY_H

#include <maskdm/maskdm.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 8, COUNT = 40, VALUES = SIDE * SIDE * 3 };

#define OK(call) ck_assert_msg((call) == MASKDM_OK, "%s: %s", #call, maskdm_last_error())
#define FAILS(code, part, call)                                                                               \
    do {                                                                                                      \
        int status_ = (call);                                                                                 \
        ck_assert_msg(status_ == (code), "%s is %s: %s", #call, maskdm_status_name(status_), maskdm_last_error());\
        ck_assert_msg(strstr(maskdm_last_error(), (part)) != NULL, "\"%s\" is not in \"%s\"", (part),         \
                      maskdm_last_error());                                                                   \
    } while (0)

struct tiny {
    maskdm_device *device;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
    maskdm_data *data;
    maskdm_control *control;
};

static float tiny_images[COUNT][VALUES];
static int32_t tiny_labels[COUNT];
static char tiny_lines[16384];

static inline maskdm_options *tiny_options(const char *kind, const char *text)
{
    maskdm_options *o;

    OK(maskdm_options_create(&o, kind));
    OK(maskdm_options_parse(o, text));
    return o;
}

static inline void tiny_draw_images(void)
{
    for (int i = 0; i < COUNT; i++) {
        tiny_labels[i] = i % 5;
        for (int k = 0; k < VALUES; k++) {
            int c = k % 3, x = k / 3 % SIDE, y = k / 3 / SIDE;

            tiny_images[i][k] = (float)(0.5 + 0.4 * sin(0.7 * x + 0.3 * i + c) * cos(0.5 * y - 0.2 * i));
        }
    }
}

/* Any text but `kind` may be NULL: the defaults below. */
static inline void tiny_open_network(struct tiny *t, maskdm_device *device, const char *kind, const char *network,
                                     const char *mask, const char *optimizer, const char *ema, const char *trainer)
{
    maskdm_options *n, *s, *m, *o, *e, *r;

    memset(t, 0, sizeof *t);
    tiny_draw_images();
    t->device = device;
    n = tiny_options(kind, network ? network : "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2");
    s = tiny_options("scheduler", "schedule=cosine");
    m = tiny_options("mask", mask ? mask : "type=block ratio=0.5 block_size=2");
    o = tiny_options("optimizer", optimizer ? optimizer : "lr=2e-3");
    e = tiny_options("ema", ema ? ema : "start=2");
    r = tiny_options("trainer", trainer ? trainer : "batch_size=8 seed=3");
    OK(maskdm_scheduler_create(&t->scheduler, s));
    OK(maskdm_model_create(&t->model, t->device, kind, n, t->scheduler, 7));
    OK(maskdm_mask_create(&t->mask, m));
    OK(maskdm_optimizer_create(&t->optimizer, o, e));
    OK(maskdm_control_create(&t->control));
    OK(maskdm_trainer_create(&t->trainer, t->model, t->mask, t->optimizer, r, t->control));
    OK(maskdm_data_create_memory(&t->data, t->device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0,
                                 tiny_labels, NULL, NULL));
    maskdm_options_release(&n);
    maskdm_options_release(&s);
    maskdm_options_release(&m);
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    maskdm_options_release(&r);
}

static inline void tiny_open_on(struct tiny *t, maskdm_device *device, const char *network, const char *mask,
                                const char *optimizer, const char *ema, const char *trainer)
{
    tiny_open_network(t, device, "uvit", network, mask, optimizer, ema, trainer);
}

static inline maskdm_device *tiny_device(const char *text)
{
    maskdm_options *o = tiny_options("device", text);
    maskdm_device *device;

    OK(maskdm_device_open(&device, "cpu", o));
    maskdm_options_release(&o);
    return device;
}

static inline void tiny_open(struct tiny *t, const char *trainer)
{
    tiny_open_on(t, tiny_device("threads=1"), NULL, NULL, NULL, NULL, trainer);
}

static inline void tiny_close(struct tiny *t)
{
    maskdm_data_release(&t->data);
    maskdm_trainer_release(&t->trainer);
    maskdm_optimizer_release(&t->optimizer);
    maskdm_mask_release(&t->mask);
    maskdm_model_release(&t->model);
    maskdm_scheduler_release(&t->scheduler);
    maskdm_control_release(&t->control);
    maskdm_device_release(&t->device);
}

static inline void tiny_step(struct tiny *t, int steps)
{
    for (int i = 0; i < steps; i++)
        OK(maskdm_trainer_step(t->trainer, t->data));
}

/* All parameters of one set behind one another (free). */
static inline float *tiny_flat(const maskdm_model *model, enum maskdm_weights which)
{
    float *flat = malloc((size_t)maskdm_model_parameter_elements(model) * sizeof *flat), *at = flat;

    for (int64_t i = 0; i < maskdm_model_parameter_count(model); i++) {
        int64_t shape[4], count = 1;
        int rank = maskdm_model_parameter_shape(model, i, shape, 4);

        for (int d = 0; d < rank; d++)
            count *= shape[d];
        OK(maskdm_model_get_parameter(model, which, i, at, count));
        at += count;
    }
    return flat;
}

static inline float *tiny_weights(struct tiny *t, enum maskdm_weights which)
{
    maskdm_model *model;
    float *flat;

    OK(maskdm_trainer_model(&model, t->trainer));
    flat = tiny_flat(model, which);
    maskdm_model_release(&model);
    return flat;
}

static inline size_t tiny_bytes(const struct tiny *t)
{
    return (size_t)maskdm_model_parameter_elements(t->model) * sizeof(float);
}

static inline float *tiny_gradients(const struct tiny *t)
{
    float *flat = malloc(tiny_bytes(t)), *at = flat;

    for (int64_t i = 0; i < maskdm_model_parameter_count(t->model); i++) {
        int64_t shape[4], count = 1;
        int rank = maskdm_model_parameter_shape(t->model, i, shape, 4);

        for (int d = 0; d < rank; d++)
            count *= shape[d];
        OK(maskdm_trainer_gradient(t->trainer, i, at, count));
        at += count;
    }
    return flat;
}

/* ||a - b|| / ||b|| */
static inline double tiny_distance(const float *a, const float *b, size_t n)
{
    double d = 0, s = 0;

    for (size_t i = 0; i < n; i++) {
        d += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        s += (double)b[i] * b[i];
    }
    return s > 0 ? sqrt(d / s) : sqrt(d);
}

static inline char *tiny_read(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    char *data;
    long n;

    ck_assert_msg(f != NULL, "%s is missing", path);
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    data = malloc((size_t)n + 1);
    ck_assert_uint_eq(fread(data, 1, (size_t)n, f), (size_t)n);
    data[n] = '\0';
    fclose(f);
    *bytes = (size_t)n;
    return data;
}

static inline void tiny_write(const char *path, const void *data, size_t bytes)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, bytes, f), bytes);
    fclose(f);
}

static inline int tiny_same_files(const char *a, const char *b)
{
    size_t n, m;
    char *x = tiny_read(a, &n), *y = tiny_read(b, &m);
    int same = n == m && memcmp(x, y, n) == 0;

    free(x);
    free(y);
    return same;
}

/* A fresh folder to write in; its name stays valid. */
static inline const char *tiny_folder(void)
{
    static char path[256];
    const char *base = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/maskdm-XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

/* Two names at once stay valid. */
static inline const char *tiny_file(const char *folder, const char *name)
{
    static char path[2][1000];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static inline int tiny_exists(const char *folder, const char *name)
{
    return access(tiny_file(folder, name), F_OK) == 0;
}

/* How often `part` is in a file. */
static inline int tiny_count(const char *folder, const char *name, const char *part)
{
    size_t bytes;
    char *text = tiny_read(tiny_file(folder, name), &bytes);
    int n = 0;

    for (char *at = text; (at = strstr(at, part)); at++)
        n++;
    free(text);
    return n;
}

/* A function for maskdm_control_set_log(): what is logged is added to tiny_lines. */
static inline void tiny_keep_line(void *user, int level, const char *line)
{
    size_t n = strlen(tiny_lines);

    (void)user;
    snprintf(tiny_lines + n, sizeof tiny_lines - n, "%s%s\n", level == MASKDM_LOG_WARN ? "warning: " : "", line);
}

/* A whole run on the images in memory without labels; `kind` is "pretrain", "finetune" or "train". Returns its
 * status. */
static inline int tiny_train(const char *kind, const maskdm_options *options, maskdm_control *control)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_data *data;
    int status;

    tiny_draw_images();
    OK(maskdm_data_create_memory(&data, device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0, NULL,
                                 NULL, NULL));
    if (strcmp(kind, "pretrain") == 0)
        status = maskdm_pretrain(NULL, options, data, NULL, control);
    else if (strcmp(kind, "finetune") == 0)
        status = maskdm_finetune(NULL, options, data, NULL, control);
    else
        status = maskdm_train(NULL, options, data, NULL, control);
    maskdm_data_release(&data);
    maskdm_device_release(&device);
    return status;
}

static inline int tiny_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

#endif
