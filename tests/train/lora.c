/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Low-rank adapters: they begin as nothing, training moves them alone, and what they make of a model is what merging
 * makes of its weights, by the formula and to the bit; saved, loaded, resumed, and through a whole run.
 */
#include "tiny.h"

#include "base/alloc.h"
#include "train/trainer.h"

#include <sys/stat.h>

static const char network[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2";

static maskdm_model *base_of(maskdm_device *device, const char *kind, const char *text)
{
    maskdm_options *o = tiny_options(kind, text);
    maskdm_model *m;

    OK(maskdm_model_create(&m, device, kind, o, NULL, 7));
    maskdm_options_release(&o);
    return m;
}

static int adapt(maskdm_model **out, maskdm_model *base, const char *text)
{
    maskdm_options *o = tiny_options("lora", text);
    int status = maskdm_model_adapt(out, base, MASKDM_WEIGHTS_EMA, o, 3);

    maskdm_options_release(&o);
    return status;
}

static int64_t elements(const maskdm_model *m, int64_t i)
{
    int64_t shape[4], n = 1;

    for (int d = 0, rank = maskdm_model_parameter_shape(m, i, shape, 4); d < rank; d++)
        n *= shape[d];
    return n;
}

static float *parameter(const maskdm_model *m, const char *name, int64_t *count)
{
    const int64_t i = maskdm_model_parameter_find(m, name);
    float *value;

    ck_assert_msg(i >= 0, "%s", name);
    *count = elements(m, i);
    value = malloc((size_t)*count * sizeof *value);
    OK(maskdm_model_get_parameter(m, MASKDM_WEIGHTS_EMA, i, value, *count));
    return value;
}

/* Adapters, or all others, at numbers that do something. */
static void stir(maskdm_model *m, int adapters)
{
    for (int64_t i = 0; i < maskdm_model_parameter_count(m); i++) {
        const int64_t n = elements(m, i);
        float *value = malloc((size_t)n * sizeof *value);

        for (int64_t k = 0; k < n; k++)
            value[k] = (float)(0.1 * sin(1.7 * (double)k + (double)i));
        if (strcmp(maskdm_model_parameter_name(m, i), "pos_embed") != 0 &&
            !strstr(maskdm_model_parameter_name(m, i), ".lora_") == !adapters)
            OK(maskdm_model_set_parameter(m, MASKDM_WEIGHTS_EMA, i, value, n));
        free(value);
    }
}

static float *predict(maskdm_model *m)
{
    const int64_t n = maskdm_model_height(m) * maskdm_model_width(m) * maskdm_model_outputs(m);
    const double times[] = {300};
    float x[192], *out = malloc((size_t)n * sizeof *out);

    for (int i = 0; i < 192; i++)
        x[i] = (float)cos(0.7 * i);
    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, times, NULL, NULL, 0, out));
    return out;
}

static void expect_same(maskdm_model *a, maskdm_model *b, int same)
{
    const int64_t n = maskdm_model_height(a) * maskdm_model_width(a) * maskdm_model_outputs(a);
    float *x = predict(a), *y = predict(b);

    ck_assert_int_eq(memcmp(x, y, (size_t)n * sizeof *x) == 0, same);
    free(x);
    free(y);
}

static const struct {
    const char *kind, *text, *lora;
} networks[] = {
    {"uvit", network, "rank=3 alpha=6 on=*attn*,*skip_linear*,encoder.patch_embed.proj.weight"},
    {"dit", network, "rank=2"},
    {"jit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2 mlp_ratio=2 bottleneck=4", "rank=4 on=*"},
    {"sit", "image_size=8 patch_size=2 dim=16 encoder_depth=1 middle_depth=1 decoder_depth=1 heads=2 mlp_ratio=2",
     "rank=2"},
    {"unet", "image_size=8 patch_size=2 block_out_channels=8,8 norm_num_groups=4 layers_per_block=1",
     "rank=2 on=*conv*"},
};

/* Of any network, also beside what two matrices make together and beside convolutions: nothing at first; then the
 * adapted model and the merged one make the same bits, which others than the base's. */
START_TEST(merged_is_adapted)
{
    maskdm_device *device = tiny_device("threads=2");
    maskdm_model *base = base_of(device, networks[_i].kind, networks[_i].text), *adapted, *merged;

    stir(base, 0);
    OK(adapt(&adapted, base, networks[_i].lora));
    ck_assert(maskdm_model_has_adapter(adapted) && !maskdm_model_has_adapter(base));
    ck_assert_int_gt(maskdm_model_parameter_count(adapted), maskdm_model_parameter_count(base));
    expect_same(adapted, base, 1);
    stir(adapted, 1);
    expect_same(adapted, base, 0);
    OK(maskdm_model_merge(&merged, adapted));
    ck_assert(!maskdm_model_has_adapter(merged));
    ck_assert_int_eq(maskdm_model_parameter_elements(merged), maskdm_model_parameter_elements(base));
    expect_same(adapted, merged, 1);
    maskdm_model_release(&merged);
    maskdm_model_release(&adapted);
    maskdm_model_release(&base);
    maskdm_device_release(&device);
}
END_TEST

/* W + alpha / rank B A, in double. */
START_TEST(merged_by_the_formula)
{
    static const char *const at[] = {"encoder.mid_block.attn.qkv", "encoder.mid_block.attn.proj"};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *base = base_of(device, "uvit", network), *adapted, *merged;

    OK(adapt(&adapted, base, "rank=3 alpha=6 on=*attn*"));
    stir(adapted, 1);
    OK(maskdm_model_merge(&merged, adapted));
    for (int k = 0; k < 2; k++) {
        char name[3][100];
        int64_t n, na, nb;
        float *w, *a, *b, *sum;

        snprintf(name[0], sizeof name[0], "%s.weight", at[k]);
        snprintf(name[1], sizeof name[1], "%s.lora_A.weight", at[k]);
        snprintf(name[2], sizeof name[2], "%s.lora_B.weight", at[k]);
        w = parameter(base, name[0], &n);
        sum = parameter(merged, name[0], &n);
        a = parameter(adapted, name[1], &na);
        b = parameter(adapted, name[2], &nb);
        ck_assert_int_eq(na, 3 * 16);
        ck_assert_int_eq(nb, n / 16 * 3);
        for (int64_t i = 0; i < n; i++) {
            double product = 0;

            for (int r = 0; r < 3; r++)
                product += (double)b[i / 16 * 3 + r] * a[r * 16 + i % 16];
            ck_assert_float_eq_tol(sum[i], (float)(w[i] + 2 * product), 1e-7F);
        }
        free(w);
        free(a);
        free(b);
        free(sum);
    }
    maskdm_model_release(&merged);
    maskdm_model_release(&adapted);
    maskdm_model_release(&base);
    maskdm_device_release(&device);
}
END_TEST

/* ---- training ---- */

static void open_trainer(struct tiny *t, maskdm_model *model, const char *trainer)
{
    maskdm_options *m = tiny_options("mask", "type=block ratio=0.5 block_size=2"),
                   *o = tiny_options("optimizer", "lr=5e-3");
    maskdm_options *e = tiny_options("ema", "start=2"), *r = tiny_options("trainer", trainer);

    OK(maskdm_mask_create(&t->mask, m));
    OK(maskdm_optimizer_create(&t->optimizer, o, e));
    OK(maskdm_trainer_create(&t->trainer, model, t->mask, t->optimizer, r, NULL));
    maskdm_options_release(&m);
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    maskdm_options_release(&r);
}

static void open_adapted(struct tiny *t, const char *device, const char *trainer)
{
    maskdm_model *base;

    memset(t, 0, sizeof *t);
    tiny_draw_images();
    t->device = tiny_device(device);
    base = base_of(t->device, "uvit", network);
    OK(adapt(&t->model, base, "rank=4"));
    maskdm_model_release(&base);
    open_trainer(t, t->model, trainer);
    OK(maskdm_data_create_memory(&t->data, t->device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0,
                                 tiny_labels, NULL, NULL));
}

START_TEST(training_moves_adapters_alone)
{
    struct tiny t;
    maskdm_model *now;
    double before, after;

    open_adapted(&t, "threads=1", "batch_size=8 seed=3");
    OK(maskdm_trainer_validate(t.trainer, t.data, COUNT, MASKDM_WEIGHTS_ONLINE, &before, NULL, 0));
    tiny_step(&t, 30);
    OK(maskdm_trainer_validate(t.trainer, t.data, COUNT, MASKDM_WEIGHTS_ONLINE, &after, NULL, 0));
    ck_assert_double_lt(after, before);
    OK(maskdm_trainer_model(&now, t.trainer));
    ck_assert(maskdm_model_has_adapter(now));
    for (int64_t i = 0; i < maskdm_model_parameter_count(now); i++) {
        const char *name = maskdm_model_parameter_name(now, i);
        const int moved = strstr(name, ".lora_") != NULL;
        const int64_t n = elements(now, i);

        ck_assert_int_eq(maskdm_trainer_is_trained(t.trainer, i), moved);
        for (int which = 0; which < 2; which++) {
            float *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)n * sizeof *b);

            OK(maskdm_model_get_parameter(t.model, which, i, a, n));
            OK(maskdm_model_get_parameter(now, which, i, b, n));
            ck_assert_msg((memcmp(a, b, (size_t)n * sizeof *a) != 0) == moved, "%s", name);
            free(a);
            free(b);
        }
    }
    maskdm_model_release(&now);
    tiny_close(&t);
}
END_TEST

/* The same bits on any number of threads, and in parts nearly the same. */
START_TEST(threads_and_parts)
{
    static const char *const device[] = {"threads=1", "threads=3"};
    struct tiny t[3];
    float *w[3];
    size_t bytes;

    for (int i = 0; i < 3; i++) {
        open_adapted(&t[i], device[i == 1], i == 2 ? "batch_size=8 seed=3 accumulate=4" : "batch_size=8 seed=3");
        tiny_step(&t[i], 3);
        w[i] = tiny_weights(&t[i], MASKDM_WEIGHTS_ONLINE);
    }
    bytes = tiny_bytes(&t[0]);
    ck_assert_mem_eq(w[0], w[1], bytes);
    ck_assert_double_lt(tiny_distance(w[0], w[2], bytes / sizeof(float)), 1e-5);
    for (int i = 0; i < 3; i++) {
        free(w[i]);
        tiny_close(&t[i]);
    }
}
END_TEST

/* A program holds no sums between forward and backward: its arena is nearly that of training all weights, and not
 * larger by three blocks' matrices. */
START_TEST(sums_are_made_anew)
{
    struct tiny t, all;

    open_adapted(&t, "threads=1", "batch_size=8 seed=3");
    tiny_open(&all, "batch_size=8 seed=3");
    ck_assert_uint_lt(t.trainer->program->arena_bytes,
                      all.trainer->program->arena_bytes + 3 * (4 * 16 * 16 + 4 * 16 * 16) * sizeof(float) / 2);
    tiny_close(&t);
    tiny_close(&all);
}
END_TEST

START_TEST(resumed)
{
    struct tiny a, b;
    char path[300];
    float *x, *y;

    snprintf(path, sizeof path, "%s/state.safetensors", tiny_folder());
    open_adapted(&a, "threads=1", "batch_size=8 seed=3");
    tiny_step(&a, 2);
    OK(maskdm_trainer_save(a.trainer, path));
    tiny_step(&a, 3);
    open_adapted(&b, "threads=1", "batch_size=8 seed=3");
    OK(maskdm_trainer_load(b.trainer, path));
    tiny_step(&b, 3);
    for (int which = 0; which < 2; which++) {
        x = tiny_weights(&a, which);
        y = tiny_weights(&b, which);
        ck_assert_mem_eq(x, y, tiny_bytes(&a));
        free(x);
        free(y);
    }
    tiny_close(&b);
    tiny_close(&a);
    tiny_open_on(&a, tiny_device("threads=1"), NULL, NULL, "lr=5e-3", NULL, NULL);
    FAILS(MASKDM_EINVAL, "the file is of a trainer of adapters, this one trains the weights",
          maskdm_trainer_load(a.trainer, path));
    tiny_close(&a);
}
END_TEST

/* ---- files ---- */

START_TEST(saved_apart)
{
    static const char key[] = "base_model.model.encoder.mid_block.attn.qkv.lora_A.weight";
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *base = base_of(device, "uvit", network), *adapted, *back, *other, *merged;
    char path[300], whole[310];
    maskdm_file *f;
    int64_t shape[4], count;

    snprintf(path, sizeof path, "%s/adapter.safetensors", tiny_folder());
    snprintf(whole, sizeof whole, "%s.all", path);
    OK(adapt(&adapted, base, "rank=3 alpha=6 on=*attn*"));
    stir(adapted, 1);
    FAILS(MASKDM_EINVAL, "the model has adapters: save them apart", maskdm_model_save(adapted, whole));
    FAILS(MASKDM_EINVAL, "no adapters to save", maskdm_model_save_adapter(base, MASKDM_WEIGHTS_EMA, path));
    FAILS(MASKDM_EINVAL, "no adapters to merge", maskdm_model_merge(&merged, base));
    FAILS(MASKDM_EINVAL, "has adapters already", adapt(&other, adapted, "rank=1"));
    OK(maskdm_model_save_adapter(adapted, MASKDM_WEIGHTS_EMA, path));
    OK(maskdm_file_open(&f, path));
    ck_assert_int_eq(maskdm_file_count(f), 2 * 2 * 3); /* two matrices of three blocks */
    ck_assert_int_eq(maskdm_file_shape(f, maskdm_file_find(f, key), shape, 4), 2);
    ck_assert_int_eq(shape[0], 3);
    ck_assert_int_eq(shape[1], 16);
    ck_assert_str_eq(maskdm_file_metadata(f, "maskdm.kind"), "adapter");
    count = maskdm_file_count(f);
    maskdm_file_release(&f);
    ck_assert_int_eq(count, 12);
    FAILS(MASKDM_EFORMAT, "this is an adapter, which goes beside the weights",
          maskdm_model_load(&back, device, path));
    OK(maskdm_model_load_adapter(&back, base, path, 0));
    expect_same(adapted, back, 1);
    maskdm_model_release(&back);

    /* Beside other weights, where that is meant. */
    OK(maskdm_model_clone(&other, base));
    {
        float *w = parameter(other, "encoder_to_output.bias", &count);

        w[0] += 1;
        OK(maskdm_model_set_parameter(other, MASKDM_WEIGHTS_EMA,
                                      maskdm_model_parameter_find(other, "encoder_to_output.bias"), w, count));
        free(w);
    }
    FAILS(MASKDM_EINVAL, "which are not the model's", maskdm_model_load_adapter(&back, other, path, 0));
    OK(maskdm_model_load_adapter(&back, other, path, 1));
    expect_same(adapted, back, 0);
    maskdm_model_release(&back);
    maskdm_model_release(&other);
    other = base_of(device, "uvit", "image_size=8 patch_size=2 dim=32 depth=3 heads=2 mlp_ratio=2");
    FAILS(MASKDM_EFORMAT, "has shape [3,16], the network needs [3,32]",
          maskdm_model_load_adapter(&back, other, path, 1));
    maskdm_model_release(&other);
    other = base_of(device, "dit", network);
    FAILS(MASKDM_EINVAL, "the adapter is one of a uvit, the model a dit",
          maskdm_model_load_adapter(&back, other, path, 1));
    maskdm_model_release(&other);
    OK(maskdm_model_merge(&merged, adapted));
    OK(maskdm_model_save(merged, whole));
    FAILS(MASKDM_EFORMAT, "this is no adapter", maskdm_model_load_adapter(&back, base, whole, 1));
    OK(maskdm_model_load(&back, device, whole));
    expect_same(adapted, back, 1);
    maskdm_model_release(&back);
    maskdm_model_release(&merged);
    maskdm_model_release(&adapted);
    maskdm_model_release(&base);
    maskdm_device_release(&device);
}
END_TEST

/* ---- no memory ---- */

static int refuse_at(void *left, size_t bytes)
{
    (void)bytes;
    return (*(long *)left)-- == 0;
}

/* Each allocation refused in turn: a line, and nothing left. */
static void expect_refusals(int (*work)(maskdm_model **out, maskdm_model *model, const char *path),
                            maskdm_model *model, const char *path)
{
    const long live = mdm_alloc_live();
    maskdm_model *out;

    for (long n = 0;; n++) {
        long left = n;
        const struct mdm_alloc_hook hook = {refuse_at, &left};
        int status;

        mdm_alloc_hook_set(&hook);
        status = work(&out, model, path);
        mdm_alloc_hook_set(NULL);
        ck_assert(status == MASKDM_OK || (status == MASKDM_ENOMEM && out == NULL));
        maskdm_model_release(&out);
        ck_assert_int_eq(mdm_alloc_live(), live);
        if (status == MASKDM_OK)
            return;
    }
}

static maskdm_options *lora_options, *size_options;

static int work_adapt(maskdm_model **out, maskdm_model *model, const char *path)
{
    (void)path;
    return maskdm_model_adapt(out, model, MASKDM_WEIGHTS_EMA, lora_options, 1);
}

static int work_load(maskdm_model **out, maskdm_model *model, const char *path)
{
    return maskdm_model_load_adapter(out, model, path, 0);
}

static int work_save(maskdm_model **out, maskdm_model *model, const char *path)
{
    *out = NULL;
    return maskdm_model_save_adapter(model, MASKDM_WEIGHTS_EMA, path);
}

static int work_merge(maskdm_model **out, maskdm_model *model, const char *path)
{
    (void)path;
    return maskdm_model_merge(out, model);
}

static int work_transfer(maskdm_model **out, maskdm_model *model, const char *path)
{
    static const char *const names[] = {"a", "b"};

    (void)path;
    return maskdm_model_transfer(out, model, size_options, names, 2, 1, NULL, NULL);
}

START_TEST(refused_memory)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *base = base_of(device, "uvit", "image_size=8 patch_size=4 dim=4 depth=1 heads=1 conv=true"),
                 *adapted;
    char path[300];

    snprintf(path, sizeof path, "%s/adapter.safetensors", tiny_folder());
    lora_options = tiny_options("lora", "rank=1 on=*attn*");
    size_options = tiny_options("uvit", "image_size=4,16 patch_size=2 channels=1 classes=3");
    OK(maskdm_model_adapt(&adapted, base, MASKDM_WEIGHTS_EMA, lora_options, 1));
    expect_refusals(work_adapt, base, path);
    expect_refusals(work_save, adapted, path);
    expect_refusals(work_load, base, path);
    expect_refusals(work_merge, adapted, path);
    expect_refusals(work_transfer, base, path);
    maskdm_options_release(&lora_options);
    maskdm_options_release(&size_options);
    maskdm_model_release(&adapted);
    maskdm_model_release(&base);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *text, *says;
    } no[] = {
        {"rank=0", "rank is 0: adapters have at least 1"},
        {"rank=2 on=*nothing*", "on \"*nothing*\" names no matrix NAME.weight among the 42 parameters"},
        {"rank=2 on=*attn*,*.bias", "on \"*.bias\" names no matrix"},
        {"rank=2 on=,", "names no matrix"},
    };
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *base = base_of(device, "uvit", network), *out;
    maskdm_options *o = tiny_options("uvit", "image_size=16");

    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        FAILS(MASKDM_EINVAL, no[i].says, adapt(&out, base, no[i].text));
        ck_assert_ptr_null(out);
    }
    OK(adapt(&out, base, "rank=2"));
    maskdm_model_release(&base);
    FAILS(MASKDM_EINVAL, "has adapters: merge them", maskdm_model_transfer(&base, out, o, NULL, 0, 1, NULL, NULL));
    maskdm_options_release(&o);
    maskdm_model_release(&out);
    maskdm_device_release(&device);
}
END_TEST

/* ---- a whole run ---- */

static char root[256];

static int job(int (*work)(const maskdm_options *options, maskdm_control *control), const char *kind,
               const char *text)
{
    maskdm_options *o;
    maskdm_control *control;
    char all[4096], *at = all;
    int status;

    for (const char *c = text; *c; c++) /* @ is the folder */
        if (*c == '@')
            at += sprintf(at, "%s", root);
        else
            *at++ = *c;
    *at = '\0';
    o = tiny_options(kind, all);
    *tiny_lines = '\0';
    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    status = work(o, control);
    maskdm_control_release(&control);
    maskdm_options_release(&o);
    return status;
}

static int pretrain(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_pretrain(NULL, options, NULL, NULL, control);
}

static int finetune(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_finetune(NULL, options, NULL, NULL, control);
}

static const char *below(const char *name)
{
    return tiny_file(root, name);
}

START_TEST(a_whole_run)
{
    char name[32];

    snprintf(root, sizeof root, "%s", tiny_folder());
    tiny_draw_images();
    ck_assert_int_eq(mkdir(below("data"), 0777), 0);
    for (int k = 0; k < 12; k++) {
        maskdm_image *image;

        snprintf(name, sizeof name, "data/%02d.png", k);
        OK(maskdm_image_create(&image, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images[k], 0));
        OK(maskdm_image_write_png(image, below(name), 8));
        maskdm_image_release(&image);
    }
    OK(job(pretrain, "pretrain",
           "data=@/data out=@/a network=uvit mask=block image_size=8 patch_size=2 dim=16 depth=3 heads=2 "
           "batch_size=4 threads=1 steps=3"));
    OK(job(finetune, "finetune",
           "init=@/a/model.safetensors data=@/data out=@/b batch_size=4 threads=1 steps=4 lora_rank=2 "
           "lora_alpha=4"));
    ck_assert_msg(strstr(tiny_lines, "24 of 66 tensors are trained, 1536 of 12476 ") != NULL, "%s", tiny_lines);
    ck_assert_int_ne(access(below("b/model.safetensors"), F_OK), 0);
    OK(job(finetune, "finetune",
           "init=@/a/model.safetensors data=@/data out=@/c batch_size=4 threads=1 steps=2 lora_rank=2 "
           "lora_alpha=4"));
    FAILS(MASKDM_EINVAL, "lora_alpha 4",
          job(finetune, "finetune",
              "init=@/a/model.safetensors data=@/data out=@/c batch_size=4 threads=1 steps=4 "
              "lora_rank=2 lora_alpha=2 resume=true"));
    OK(job(finetune, "finetune",
           "init=@/a/model.safetensors data=@/data out=@/c batch_size=4 threads=1 steps=4 lora_rank=2 "
           "lora_alpha=4 resume=true"));
    ck_assert(tiny_same_files(below("b/adapter.safetensors"), below("c/adapter.safetensors")));
    ck_assert(tiny_same_files(below("b/checkpoint-4.safetensors"), below("c/checkpoint-4.safetensors")));

    /* The online weights of the file are those that it stands beside, by themselves. */
    OK(job(maskdm_merge, "merge", "model=@/a/model.safetensors adapter=@/b/adapter.safetensors out=@/m.safetensors"));
    OK(job(maskdm_sample, "sample", "model=@/m.safetensors out=@/m.png count=2 bits=16 steps=3 threads=1"));
    OK(job(maskdm_sample, "sample",
           "model=@/a/model.safetensors adapter=@/b/adapter.safetensors out=@/n.png count=2 bits=16 steps=3 "
           "threads=1"));
    ck_assert(tiny_same_files(below("m.png"), below("n.png")));
    OK(job(maskdm_sample, "sample", "model=@/a/model.safetensors out=@/o.png count=2 bits=16 steps=3 threads=1"));
    ck_assert(!tiny_same_files(below("m.png"), below("o.png")));
    FAILS(MASKDM_EINVAL, "which are not the model's",
          job(maskdm_sample, "sample", "model=@/m.safetensors adapter=@/b/adapter.safetensors out=@/p.png count=2"));
    FAILS(MASKDM_EINVAL, "lora_rank asks for adapters, which stand beside the weights of ",
          job(finetune, "finetune",
              "init=@/a/model.safetensors data=@/data out=@/d batch_size=4 threads=1 steps=4 "
              "image_size=16 lora_rank=2"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lora");
    TCase *tests = tcase_create("lora");

    tcase_add_loop_test(tests, merged_is_adapted, 0, 5);
    tcase_add_test(tests, merged_by_the_formula);
    tcase_add_test(tests, training_moves_adapters_alone);
    tcase_add_test(tests, threads_and_parts);
    tcase_add_test(tests, sums_are_made_anew);
    tcase_add_test(tests, resumed);
    tcase_add_test(tests, saved_apart);
    tcase_add_test(tests, refused_memory);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, a_whole_run);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
