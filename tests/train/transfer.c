/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models made from models of other images: what becomes of every parameter, that the new one makes of resized or grey
 * images what the old one made of them before, and that fine-tuning goes on from there.
 */
#include "tiny.h"

#include "model/bicubic.h"

#include <sys/stat.h>

static const char small[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 ";

/* ---- what is told ---- */

static char rows[64 << 10];

static size_t put_shape(char *to, const int64_t *shape, int rank)
{
    size_t n = (size_t)sprintf(to, shape ? "[" : "-");

    for (int i = 0; i < rank; i++)
        n += (size_t)sprintf(to + n, "%s%lld", i ? "," : "", (long long)shape[i]);
    return n + (size_t)sprintf(to + n, shape ? "]" : "");
}

static void note(void *user, const char *name, int what, const int64_t *from, int from_rank, const int64_t *to,
                 int to_rank)
{
    static const char *const word[] = {"taken", "resized", "mapped", "computed", "fresh", "left"};
    char *at = rows + strlen(rows);

    ck_assert_ptr_eq(user, rows);
    at += sprintf(at, "%s ", name);
    at += put_shape(at, from, from_rank);
    *at++ = ' ';
    at += put_shape(at, to, to_rank);
    sprintf(at, " %s\n", word[what]);
}

static int count_rows(const char *word)
{
    int n = 0;

    for (const char *at = rows; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void expect_row(const char *row)
{
    ck_assert_msg(strstr(rows, row) != NULL, "\"%s\" is not in\n%s", row, rows);
}

static maskdm_model *fresh(maskdm_device *device, const char *kind, const char *text, uint64_t seed)
{
    maskdm_options *o = tiny_options(kind, text);
    maskdm_model *m;

    OK(maskdm_model_create(&m, device, kind, o, NULL, seed));
    maskdm_options_release(&o);
    return m;
}

static int transfer(maskdm_model **out, maskdm_model *from, const char *kind, const char *text,
                    const char *const *names, int64_t count)
{
    maskdm_options *o = tiny_options(kind, text);
    int status;

    *rows = '\0';
    status = maskdm_model_transfer(out, from, o, names, count, 5, note, rows);
    maskdm_options_release(&o);
    return status;
}

static float *parameter(const maskdm_model *m, const char *name)
{
    const int64_t i = maskdm_model_parameter_find(m, name);
    int64_t shape[4], n = 1;
    float *value;

    ck_assert_int_ge(i, 0);
    for (int d = 0, rank = maskdm_model_parameter_shape(m, i, shape, 4); d < rank; d++)
        n *= shape[d];
    value = malloc((size_t)n * sizeof *value);
    OK(maskdm_model_get_parameter(m, MASKDM_WEIGHTS_EMA, i, value, n));
    return value;
}

/* A grid of 4 x 4 becomes one of 8 x 8, and two channels of grey and alpha three. */
START_TEST(what_becomes_of_parameters)
{
    static const char *const before[] = {"ape", "bee", "cat"}, *const now[] = {"cat", "dog", "ape", "eel"};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from =
        fresh(device, "uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=3", 7);
    maskdm_model *to;
    float *a, *b, *fresh_rows;

    OK(maskdm_model_set_labels(from, before, 3));
    OK(maskdm_model_set_metadata(from, "mine", "kept"));
    OK(transfer(&to, from, "uvit", "image_size=16 channels=1 classes=4", now, 4));
    expect_row("encoder.encoder_pos_embed [1,18,16] [1,66,16] resized\n");
    expect_row("encoder.patch_embed.proj.weight [16,3,2,2] [16,1,2,2] resized\n");
    expect_row("encoder.patch_embed.proj.bias [16] [16] taken\n");
    expect_row("encoder.label_emb.weight [3,16] [4,16] mapped\n");
    expect_row("encoder.uncond_embed [1,16] [1,16] taken\n");
    expect_row("encoder_to_output.weight [12,16] [4,16] resized\n");
    expect_row("encoder_to_output.bias [12] [4] resized\n");
    ck_assert_int_eq(count_rows(" taken\n"), (int)maskdm_model_parameter_count(from) - 5);
    ck_assert_int_eq(count_rows("\n"), (int)maskdm_model_parameter_count(to));
    ck_assert_int_eq(maskdm_model_label_count(to), 4);
    ck_assert_str_eq(maskdm_model_label_name(to, 1), "dog");
    ck_assert_str_eq(maskdm_model_metadata(to, "mine"), "kept");

    a = parameter(from, "encoder.label_emb.weight");
    b = parameter(to, "encoder.label_emb.weight");
    ck_assert_mem_eq(b, a + 32, 16 * sizeof *b);      /* cat */
    ck_assert_mem_eq(b + 16, a + 16, 16 * sizeof *b); /* dog has bee's number */
    ck_assert_mem_eq(b + 32, a, 16 * sizeof *b);      /* ape */
    for (int k = 0; k < 16; k++)
        ck_assert_float_eq_tol(b[48 + k], (a[k] + a[16 + k] + a[32 + k]) / 3, 1e-6F); /* eel: the mean */
    free(a);
    free(b);
    maskdm_model_release(&to);

    OK(transfer(&to, from, "uvit", "classes=0", NULL, 0));
    expect_row("encoder.label_emb.weight [3,16] - left\n");
    expect_row("encoder.uncond_embed [1,16] - left\n");
    expect_row("encoder.encoder_pos_embed [1,18,16] [1,17,16] resized\n");
    a = parameter(from, "encoder.encoder_pos_embed");
    b = parameter(to, "encoder.encoder_pos_embed");
    ck_assert_mem_eq(b, a + 16, 17 * 16 * sizeof *b); /* the time's and the patches' */
    free(a);
    free(b);
    maskdm_model_release(&from);
    from = to;
    OK(transfer(&to, from, "uvit", "classes=2", now, 2));
    expect_row("encoder.label_emb.weight - [2,16] fresh\n");
    a = parameter(from, "encoder.encoder_pos_embed");
    b = parameter(to, "encoder.encoder_pos_embed");
    ck_assert_mem_eq(b + 16, a, 17 * 16 * sizeof *b);
    maskdm_model_release(&from);
    from = fresh(device, "uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=2", 5);
    fresh_rows = parameter(from, "encoder.encoder_pos_embed");
    ck_assert_mem_eq(b, fresh_rows, 16 * sizeof *b); /* the class's place is drawn */
    free(a);
    free(b);
    free(fresh_rows);
    maskdm_model_release(&from);
    maskdm_model_release(&to);
    maskdm_device_release(&device);
}
END_TEST

/* Rows and columns one after the other. */
START_TEST(places_are_resized)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from = fresh(device, "uvit", small, 7), *to;
    float *a = parameter(from, "encoder.encoder_pos_embed"), *b;
    double rows_of[6 * 4], columns[3 * 4];

    OK(transfer(&to, from, "uvit", "image_size=12,6", NULL, 0)); /* 6 x 3 of 4 x 4 */
    b = parameter(to, "encoder.encoder_pos_embed");
    mdm_bicubic(rows_of, 6, 4);
    mdm_bicubic(columns, 3, 4);
    ck_assert_mem_eq(a, b, 16 * sizeof *a);
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 3; x++)
            for (int d = 0; d < 16; d++) {
                double sum = 0;

                for (int i = 0; i < 4; i++)
                    for (int k = 0; k < 4; k++)
                        sum += rows_of[y * 4 + i] * columns[x * 4 + k] * a[(1 + i * 4 + k) * 16 + d];
                ck_assert_float_eq_tol(b[(1 + y * 3 + x) * 16 + d], (float)sum, 1e-6F);
            }
    free(a);
    free(b);
    maskdm_model_release(&from);
    maskdm_model_release(&to);
    maskdm_device_release(&device);
}
END_TEST

/* ---- what the new model makes of images ---- */

static const struct {
    const char *kind, *text;
} networks[] = {
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=3 conv=true"},
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=3 form=original"},
    {"dit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2 mlp_ratio=2 classes=3 learn_sigma=true"},
    {"jit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2 mlp_ratio=2 classes=3 bottleneck=4 in_context_len=2"},
    {"sit",
     "image_size=8 patch_size=2 dim=16 encoder_depth=1 middle_depth=1 decoder_depth=1 heads=2 mlp_ratio=2 classes=3"},
    {"unet", "image_size=8 patch_size=2 block_out_channels=8,8 norm_num_groups=4 layers_per_block=1 classes=3 "
             "learn_sigma=true mask_channel=true"},
};

/* Weights that are zeros where a network begins would hide what is done to them. */
static void stir(maskdm_model *m)
{
    for (int64_t i = 0; i < maskdm_model_parameter_count(m); i++) {
        int64_t shape[4], n = 1;
        float *value;

        for (int d = 0, rank = maskdm_model_parameter_shape(m, i, shape, 4); d < rank; d++)
            n *= shape[d];
        if (strcmp(maskdm_model_parameter_name(m, i), "pos_embed") == 0)
            continue;
        value = malloc((size_t)n * sizeof *value);
        for (int64_t k = 0; k < n; k++)
            value[k] = (float)(0.2 * sin(1.3 * (double)k + (double)i) + 0.05 * cos(0.37 * (double)k));
        OK(maskdm_model_set_parameter(m, MASKDM_WEIGHTS_EMA, i, value, n));
        free(value);
    }
}

static float *predict(maskdm_model *m, const float *x, int label)
{
    const int64_t n = maskdm_model_height(m) * maskdm_model_width(m) * maskdm_model_outputs(m);
    const int32_t labels[] = {label};
    const double times[] = {300};
    float *out = malloc((size_t)n * sizeof *out);

    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, times, labels, NULL, 0, out));
    for (int64_t i = 0; i < n; i++)
        ck_assert(isfinite(out[i]));
    return out;
}

START_TEST(nothing_changes_where_nothing_is_other)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from = fresh(device, networks[_i].kind, networks[_i].text, 7), *to;
    float *a, *b;

    stir(from);
    OK(transfer(&to, from, networks[_i].kind, networks[_i].text, NULL, 0));
    ck_assert_int_eq(count_rows(" taken\n"), (int)maskdm_model_parameter_count(from));
    a = tiny_flat(from, MASKDM_WEIGHTS_EMA);
    b = tiny_flat(to, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(a, b, (size_t)maskdm_model_parameter_elements(from) * sizeof *a);
    free(a);
    free(b);
    maskdm_model_release(&from);
    maskdm_model_release(&to);
    maskdm_device_release(&device);
}
END_TEST

/* A model of grey images, of colours, with alpha; of other sizes, patches and classes: each finite, and a second
 * transfer back to the same shapes too. */
START_TEST(any_network_becomes_another)
{
    static const char *const set[] = {"channels=1",
                                      "channels=4",
                                      "image_size=16",
                                      "image_size=16 patch_size=4",
                                      "patch_size=4",
                                      "patch_size=1 image_size=4,8",
                                      "classes=5",
                                      "classes=0",
                                      "image_size=24 patch_size=3 channels=2 classes=2"};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from = fresh(device, networks[_i].kind, networks[_i].text, 7), *to, *back;

    stir(from);
    for (size_t k = 0; k < sizeof set / sizeof *set; k++) {
        float x[24 * 24 * 4] = {0}, *y;

        OK(transfer(&to, from, networks[_i].kind, set[k], NULL, 0));
        y = predict(to, x, -1);
        free(y);
        OK(transfer(&back, to, networks[_i].kind, "image_size=8 patch_size=2 channels=3 classes=3", NULL, 0));
        ck_assert_int_eq(maskdm_model_parameter_elements(back), maskdm_model_parameter_elements(from));
        maskdm_model_release(&back);
        maskdm_model_release(&to);
    }
    maskdm_model_release(&from);
    maskdm_device_release(&device);
}
END_TEST

/* Grey images as colours: the model for colours makes of them in each channel what the model for grey makes. And from
 * colours to grey: what the former makes, as grey, unless a convolution stands behind channels that were not equal.
 */
START_TEST(grey_and_colours)
{
    const double luma[3] = {19595 / 65536.0, 38470 / 65536.0, 7471 / 65536.0};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *colours = fresh(device, networks[_i].kind, networks[_i].text, 7), *grey, *again;
    const int outputs = maskdm_model_outputs(colours);
    float one[64], three[192], *a, *b, *c;

    stir(colours);
    for (int i = 0; i < 64; i++) {
        one[i] = (float)sin(0.9 * i);
        three[3 * i] = three[3 * i + 1] = three[3 * i + 2] = one[i];
    }
    OK(transfer(&grey, colours, networks[_i].kind, "channels=1", NULL, 0));
    OK(transfer(&again, grey, networks[_i].kind, "channels=3", NULL, 0));
    a = predict(colours, three, 1);
    b = predict(grey, one, 1);
    c = predict(again, three, 1);
    for (int i = 0; i < 64; i++)
        for (int part = 0; part < outputs / 3; part++) {
            double sum = 0;

            for (int k = 0; k < 3; k++) {
                sum += luma[k] * a[i * outputs + part * 3 + k];
                ck_assert_float_eq_tol(c[i * outputs + part * 3 + k], b[i * outputs / 3 + part], 2e-5F);
            }
            if (_i > 0)
                ck_assert_float_eq_tol(b[i * outputs / 3 + part], (float)sum, 2e-5F);
        }
    free(a);
    free(b);
    free(c);
    maskdm_model_release(&colours);
    maskdm_model_release(&grey);
    maskdm_model_release(&again);
    maskdm_device_release(&device);
}
END_TEST

/* Every patch of x[side,side,channels] grows from 2 to 5. */
static void grow_patches(float *out, const float *x, int side, int channels)
{
    double w[10];

    mdm_bicubic(w, 5, 2);
    for (int y = 0; y < side / 2 * 5; y++)
        for (int k = 0; k < side / 2 * 5; k++)
            for (int c = 0; c < channels; c++) {
                double sum = 0;

                for (int i = 0; i < 4; i++)
                    sum += w[y % 5 * 2 + i / 2] * w[k % 5 * 2 + i % 2] *
                           x[((y / 5 * 2 + i / 2) * side + k / 5 * 2 + i % 2) * channels + c];
                out[(y * (side / 2 * 5) + k) * channels + c] = (float)sum;
            }
}

/* Patches of 5 that were resized from patches of 2 are to the network what they were, and its prediction is resized
 * like an image. A U-Net has patches for masks alone, and a convolution behind the patches sees other pixels. */
START_TEST(patches_of_another_size)
{
    const int n = _i + 1;
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from = fresh(device, networks[n].kind, networks[n].text, 7), *to;
    const int outputs = maskdm_model_outputs(from);
    float x[192], large[1200], *a, *b, *wanted = malloc((size_t)(400 * outputs) * sizeof *wanted);

    stir(from);
    for (int i = 0; i < 192; i++)
        x[i] = (float)cos(0.7 * i);
    grow_patches(large, x, 8, 3);
    OK(transfer(&to, from, networks[n].kind, "image_size=20 patch_size=5", NULL, 0));
    a = predict(from, x, 2);
    b = predict(to, large, 2);
    grow_patches(wanted, a, 8, outputs);
    for (int i = 0; i < 400 * outputs; i++)
        ck_assert_float_eq_tol(b[i], wanted[i], 5e-5F);
    free(a);
    free(b);
    free(wanted);
    maskdm_model_release(&from);
    maskdm_model_release(&to);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(both_sets_go_on)
{
    struct tiny t;
    maskdm_model *from, *to;
    float *a, *b;

    tiny_open(&t, NULL);
    tiny_step(&t, 4);
    OK(maskdm_trainer_model(&from, t.trainer));
    ck_assert(maskdm_model_has_online(from));
    OK(transfer(&to, from, "uvit", "image_size=16", NULL, 0));
    ck_assert(maskdm_model_has_online(to));
    ck_assert_int_eq(count_rows("encoder_pos_embed "), 1); /* told once */
    a = tiny_flat(to, MASKDM_WEIGHTS_EMA);
    b = tiny_flat(to, MASKDM_WEIGHTS_ONLINE);
    ck_assert_double_gt(tiny_distance(a, b, (size_t)maskdm_model_parameter_elements(to)), 1e-6);
    free(a);
    free(b);
    maskdm_model_release(&to);
    maskdm_model_release(&from);
    tiny_close(&t);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *kind, *text, *says;
        int status;
    } no[] = {
        {"uvit", "dim=32", "dim is 32, but the model's is 16", MASKDM_EINVAL},
        {"uvit", "depth=5", "depth is 5, but the model's is 3", MASKDM_EINVAL},
        {"uvit", "conv=true", "conv is true, but the model's is false", MASKDM_EINVAL},
        {"dit", "dim=16", "options of kind uvit are needed, not of kind dit", MASKDM_EINVAL},
        {"uvit", "image_size=9", "patch_size 2 does not divide image_size 9x9", MASKDM_EINVAL},
    };
    static const char *const many[] = {"a", "b", "c"};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from = fresh(device, "uvit", small, 7), *to;

    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        FAILS(no[i].status, no[i].says, transfer(&to, from, no[i].kind, no[i].text, NULL, 0));
        ck_assert_ptr_null(to);
    }
    FAILS(MASKDM_EINVAL, "more than 2 names of labels", transfer(&to, from, "uvit", "classes=2", many, 3));
    OK(transfer(&to, from, "uvit", "route_ratio=0.5 route_from=0", NULL, 0)); /* for training only */
    maskdm_model_release(&to);
    maskdm_model_release(&from);
    maskdm_device_release(&device);
}
END_TEST

/* On wavelets there are patches of two kinds: its classes become others, nothing else. */
START_TEST(wavelets)
{
    static const char *const before[] = {"a", "b"}, *const now[] = {"b", "c", "a"};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *from, *to;
    float *x, *y;

    from = fresh(device, "uvit",
                 "form=wavelet detail_scale=2 image_size=8 patch_size=1 dim=16 depth=3 heads=2 mlp_ratio=2 classes=2",
                 7);
    OK(maskdm_model_set_labels(from, before, 2));
    OK(transfer(&to, from, "uvit", "classes=3", now, 3));
    ck_assert_int_eq(count_rows(" taken\n"), (int)maskdm_model_parameter_count(from) - 1);
    x = parameter(from, "encoder.label_emb.weight");
    y = parameter(to, "encoder.label_emb.weight");
    ck_assert_mem_eq(y, x + 16, 16 * sizeof *y);
    ck_assert_mem_eq(y + 32, x, 16 * sizeof *y);
    free(x);
    free(y);
    maskdm_model_release(&to);
    FAILS(MASKDM_EINVAL, "a model on wavelets has patches of two kinds, and goes on with images of its own size",
          transfer(&to, from, "uvit", "image_size=4,16", NULL, 0));
    FAILS(MASKDM_EINVAL, "8 x 8 of 3 channels in 4 x 4 patches, not 8 x 8 of 1 in 4 x 4",
          transfer(&to, from, "uvit", "channels=1", NULL, 0));
    ck_assert_ptr_null(to);
    maskdm_model_release(&from);
    maskdm_device_release(&device);
}
END_TEST

/* ---- runs ---- */

static char root[256];

/* Images of any size of one thing, in folders. */
static void write_images(const char *folder, const char *const *label, int side)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", root, folder);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    for (int n = 0; label[n]; n++) {
        snprintf(path, sizeof path, "%s/%s/%s", root, folder, label[n]);
        ck_assert_int_eq(mkdir(path, 0777), 0);
        for (int k = 0; k < 6; k++) {
            float x[32 * 32 * 3];
            maskdm_image *image;

            for (int i = 0; i < side * side * 3; i++)
                x[i] = (float)(0.5 + 0.4 * sin(5.0 * (i / 3 % side) / side + k + i % 3) *
                                         cos(4.0 * (i / 3 / side) / side + n));
            OK(maskdm_image_create(&image, side, side, 3, MASKDM_SAMPLE_FLOAT, x, 0));
            snprintf(path, sizeof path, "%s/%s/%s/%d.png", root, folder, label[n], k);
            OK(maskdm_image_write_png(image, path, 8));
            maskdm_image_release(&image);
        }
    }
}

static int run(const char *kind, const char *format, const char *more)
{
    maskdm_control *control;
    maskdm_options *o;
    char text[4096], all[5000];
    int status;

    snprintf(text, sizeof text, format, root, root, root);
    snprintf(all, sizeof all, "%s batch_size=4 threads=1 %s", text, more);
    o = tiny_options(kind, all);
    *tiny_lines = '\0';
    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    status = kind[0] == 'p' ? maskdm_pretrain(NULL, o, NULL, NULL, control)
                            : maskdm_finetune(NULL, o, NULL, NULL, control);
    maskdm_control_release(&control);
    maskdm_options_release(&o);
    return status;
}

static char *read_below(const char *name)
{
    size_t bytes;

    return tiny_read(tiny_file(root, name), &bytes);
}

static void expect_line(const char *line)
{
    ck_assert_msg(strstr(tiny_lines, line) != NULL, "\"%s\" is not in\n%s", line, tiny_lines);
}

static const char go_on[] = "init=%s/a/model.safetensors data=%s/new out=%s/b";

START_TEST(a_run_begins_from_other_images)
{
    static const char *const before[] = {"ape", "bee", NULL}, *const now[] = {"bee", "cat", "eel", NULL};
    char *text, *plain;

    snprintf(root, sizeof root, "%s", tiny_folder());
    write_images("old", before, 8);
    write_images("new", now, 16);
    OK(run("pretrain",
           "data=%s/old out=%s/a network=uvit image_size=8 patch_size=2 dim=16 depth=3 heads=2 classes=2 steps=3 "
           "mask=patch mask_ratio=0.5%.0s",
           ""));
    OK(run("finetune", go_on, "image_size=16 channels=1 classes=3 steps=4"));
    expect_line("encoder.encoder_pos_embed [1,18,16] -> [1,66,16] resized\n");
    expect_line("encoder.label_emb.weight [2,16] -> [3,16] mapped\n");
    expect_line("a/model.safetensors: 39 taken, 4 resized, 1 mapped\n");
    text = read_below("b/transfer.json");
    ck_assert_ptr_nonnull(strstr(text, "\"classes\": [1, null, null]"));
    ck_assert_ptr_nonnull(strstr(text, "{\"name\": \"encoder.encoder_pos_embed\", \"what\": \"resized\", \"from\": "
                                       "[1,18,16], \"to\": [1,66,16]}"));
    free(text);
    text = read_below("b/options.json");
    ck_assert_ptr_nonnull(strstr(text, "\"image_size\": [16], \"patch_size\": 2, \"channels\": 1"));
    free(text);

    /* Resumed: the same bits, and nothing of it is told again. */
    OK(run("finetune", "init=%s/a/model.safetensors data=%s/new out=%s/c",
           "image_size=16 channels=1 classes=3 steps=2"));
    OK(run("finetune", "init=%s/a/model.safetensors data=%s/new out=%s/c",
           "image_size=16 channels=1 classes=3 steps=4 resume=true"));
    ck_assert_ptr_null(strstr(tiny_lines, "resized"));
    text = read_below("b/checkpoint-4.safetensors");
    plain = read_below("c/checkpoint-4.safetensors");
    ck_assert_str_eq(text, plain);
    free(text);
    free(plain);
    snprintf(tiny_lines, sizeof tiny_lines, "%s/b/checkpoint-4.safetensors", root);
    snprintf(tiny_lines + 1000, sizeof tiny_lines - 1000, "%s/c/checkpoint-4.safetensors", root);
    ck_assert(tiny_same_files(tiny_lines, tiny_lines + 1000));

    /* The model may be gone, since the folder has its own. */
    snprintf(tiny_lines, sizeof tiny_lines, "%s/a/model.safetensors", root);
    ck_assert_int_eq(unlink(tiny_lines), 0);
    OK(run("finetune", "init=%s/a/model.safetensors data=%s/new out=%s/c",
           "image_size=16 channels=1 classes=3 steps=5 resume=true"));
}
END_TEST

/* The same labels, in another order since one was renamed: by name, and said. */
START_TEST(labels_go_by_their_names)
{
    static const char *const before[] = {"ape", "bee", "cat", NULL}, *const now[] = {"bee", "cat", NULL};
    char *text;

    snprintf(root, sizeof root, "%s", tiny_folder());
    write_images("old", before, 8);
    write_images("new", now, 8);
    OK(run("pretrain",
           "data=%s/old out=%s/a network=uvit image_size=8 patch_size=2 dim=16 depth=3 heads=2 classes=3 steps=1%.0s",
           ""));
    OK(run("finetune", go_on, "steps=1"));
    expect_line("encoder.label_emb.weight [3,16] -> [3,16] mapped\n");
    text = read_below("b/transfer.json");
    ck_assert_ptr_nonnull(strstr(text, "\"classes\": [1, 2, 0]"));
    free(text);
    ck_assert_ptr_null(strstr(tiny_lines, "in the model and"));
}
END_TEST

START_TEST(a_run_is_refused)
{
    static const char *const label[] = {"ape", "bee", NULL};

    snprintf(root, sizeof root, "%s", tiny_folder());
    write_images("old", label, 8);
    write_images("new", label, 8);
    OK(run("pretrain",
           "data=%s/old out=%s/a network=uvit image_size=8 patch_size=2 dim=16 depth=3 heads=2 steps=1%.0s", ""));
    FAILS(MASKDM_EINVAL, "depth is 5, but ", run("finetune", go_on, "depth=5"));
    FAILS(MASKDM_EINVAL, "the data have 2 labels, the model 1 classes; classes 2 makes room for them",
          run("finetune", go_on, "classes=1"));
    FAILS(MASKDM_EINVAL, "was made with 3, and only image_size, patch_size, channels and classes can become others",
          run("finetune", go_on, "depth=5"));
    FAILS(MASKDM_EINVAL, "patch_size 3 does not divide image_size 8x8", run("finetune", go_on, "patch_size=3"));
    FAILS(MASKDM_EINVAL, "network is dit, but ", run("finetune", go_on, "network=dit"));
    FAILS(MASKDM_EINVAL, "was made with uvit, and the two share no weights", run("finetune", go_on, "network=dit"));
}
END_TEST

/* ---- what it is good for ---- */

/* The same scenes, at any side: smooth, so that a larger image is the smaller one resized. */
static maskdm_data *scenes(maskdm_device *device, int side)
{
    float *x = malloc((size_t)(COUNT * side * side * 3) * sizeof *x);
    maskdm_data *data;

    for (int k = 0; k < COUNT; k++)
        for (int i = 0; i < side * side * 3; i++) {
            const double u = (i / 3 % side + 0.5) / side, v = (i / 3 / side + 0.5) / side;

            x[k * side * side * 3 + i] = (float)(0.5 + 0.4 * sin(6 * u + 0.3 * k + i % 3) * cos(5 * v - 0.2 * k));
        }
    OK(maskdm_data_create_memory(&data, device, COUNT, side, side, 3, MASKDM_SAMPLE_FLOAT, x, 0, 0, NULL, free, x));
    return data;
}

/* A trainer's held-out loss on whole images after so many steps. */
static double train(maskdm_model **out, maskdm_model *model, maskdm_data *data, int steps)
{
    maskdm_options *o = tiny_options("optimizer", "lr=3e-3"), *e = tiny_options("ema", "decay=0");
    maskdm_options *r = tiny_options("trainer", "batch_size=8 seed=3");
    maskdm_optimizer *optimizer;
    maskdm_trainer *tr;
    double loss;

    OK(maskdm_optimizer_create(&optimizer, o, e));
    OK(maskdm_trainer_create(&tr, model, NULL, optimizer, r, NULL));
    for (int i = 0; i < steps; i++)
        OK(maskdm_trainer_step(tr, data));
    OK(maskdm_trainer_validate(tr, data, COUNT, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    if (out) {
        maskdm_model *view;

        OK(maskdm_trainer_model(&view, tr));
        OK(maskdm_model_clone(out, view));
        maskdm_model_release(&view);
    }
    maskdm_trainer_release(&tr);
    maskdm_optimizer_release(&optimizer);
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    maskdm_options_release(&r);
    return loss;
}

/* From 8 x 8 to 16 x 16: before its first step it is ahead of fresh weights that have had a tenth of the steps. */
START_TEST(a_primer_is_ahead)
{
    enum { STEPS = 200 };
    maskdm_device *device = tiny_device("threads=2");
    maskdm_data *little = scenes(device, 8), *large = scenes(device, 16);
    maskdm_model *begun = fresh(device, "uvit", small, 7), *primer, *grown;
    maskdm_model *scratch = fresh(device, "uvit", "image_size=16 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2", 7);
    double first, tenth;

    (void)train(&primer, begun, little, STEPS);
    OK(transfer(&grown, primer, "uvit", "image_size=16", NULL, 0));
    first = train(NULL, grown, large, 0);
    tenth = train(NULL, scratch, large, STEPS / 10);
    ck_assert_msg(first < tenth, "the first loss of the primer is %g, of fresh weights %g after %d steps", first,
                  tenth, STEPS / 10);
    maskdm_model_release(&begun);
    maskdm_model_release(&primer);
    maskdm_model_release(&grown);
    maskdm_model_release(&scratch);
    maskdm_data_release(&little);
    maskdm_data_release(&large);
    maskdm_device_release(&device);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transfer");
    TCase *tests = tcase_create("transfer");

    tcase_add_test(tests, what_becomes_of_parameters);
    tcase_add_test(tests, places_are_resized);
    tcase_add_loop_test(tests, nothing_changes_where_nothing_is_other, 0, 6);
    tcase_add_loop_test(tests, any_network_becomes_another, 0, 6);
    tcase_add_loop_test(tests, grey_and_colours, 0, 6);
    tcase_add_loop_test(tests, patches_of_another_size, 0, 4);
    tcase_add_test(tests, both_sets_go_on);
    tcase_add_test(tests, wavelets);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, a_run_begins_from_other_images);
    tcase_add_test(tests, labels_go_by_their_names);
    tcase_add_test(tests, a_run_is_refused);
    tcase_add_test(tests, a_primer_is_ahead);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
