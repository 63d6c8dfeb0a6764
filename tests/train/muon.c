/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Muon in training: which weights it moves, joint ones as the matrices that they are, and that it holds what AdamW
 * holds: threads, files, groups, skipped steps, refused memory. Its numbers are tests/kernel/muon.c's and
 * tests/reference/'s.
 */
#include "tiny.h"

#include "base/alloc.h"
#include "model/model.h"
#include "train/trainer.h"

static void open_with(struct tiny *t, const char *optimizer, const char *device, const char *trainer)
{
    tiny_open_on(t, tiny_device(device), NULL, NULL, optimizer, NULL, trainer);
}

/* ---- which weights ---- */

struct hidden {
    const char *network, *options, *name;
    int parts;
};

#define SIT "image_size=8 patch_size=2 dim=16 heads=2 encoder_depth=1 middle_depth=1 decoder_depth=1"

static const struct hidden weights[] = {
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 time_mlp=true", "encoder.mid_block.attn.qkv.weight",
     3},
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 time_mlp=true", "encoder.mid_block.mlp.fc2.weight", 1},
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2", "encoder.out_blocks.0.skip_linear.weight", 1},
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2", "encoder.patch_embed.proj.weight", 0},
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2", "encoder.encoder_pos_embed", 0},
    {"uvit", "image_size=8 patch_size=2 dim=16 depth=3 heads=2 time_mlp=true", "encoder.time_embed.2.weight", 0},
    {"dit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2", "blocks.1.attn.qkv.weight", 3},
    {"dit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2", "blocks.1.attn.proj.weight", 1},
    {"dit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2", "blocks.1.adaLN_modulation.1.weight", 0},
    {"dit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2", "final_layer.linear.weight", 0},
    {"jit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2 bottleneck=8", "blocks.0.mlp.w12.weight", 2},
    {"jit", "image_size=8 patch_size=2 dim=16 depth=2 heads=2 bottleneck=8", "x_embedder.proj2.weight", 0},
    {"unet", "image_size=8 block_out_channels=8,8 norm_num_groups=4 layers_per_block=1",
     "down_blocks.0.resnets.0.conv1.weight", 1},
    {"sit", SIT, "renoise_linear.weight", 1},
    {"sit", SIT, "middle_blocks.0.attn.qkv.weight", 3},
    {"sit", SIT, "x_embedder.proj.weight", 0},
    {"unet", "image_size=8 block_out_channels=8,8 norm_num_groups=4 layers_per_block=1", "conv_in.weight", 0},
    {"unet", "image_size=8 block_out_channels=8,8 norm_num_groups=4 layers_per_block=1", "conv_out.weight", 0},
    {"unet", "image_size=8 block_out_channels=8,8 norm_num_groups=4 layers_per_block=1",
     "down_blocks.0.resnets.0.time_emb_proj.weight", 0},
};

START_TEST(weights_between_hidden_layers)
{
    const struct hidden *h = &weights[_i];
    maskdm_device *device = tiny_device("threads=1");
    maskdm_options *o = tiny_options(h->network, h->options);
    maskdm_model *model;
    int64_t i;

    OK(maskdm_model_create(&model, device, h->network, o, NULL, 1));
    i = maskdm_model_parameter_find(model, h->name);
    ck_assert_msg(i >= 0, "%s has no %s", h->network, h->name);
    ck_assert_msg(model->layout.list[i].parts == h->parts, "%s of %s is of %d matrices", h->name, h->network,
                  model->layout.list[i].parts);
    for (i = 0; i < model->layout.count; i++) /* vectors are never among them, and rows divide */
        ck_assert(!model->layout.list[i].parts ||
                  (model->layout.list[i].shape.n >= 2 &&
                   model->layout.list[i].shape.d[0] % model->layout.list[i].parts == 0));
    maskdm_model_release(&model);
    maskdm_options_release(&o);
    maskdm_device_release(&device);
}
END_TEST

/* One that has none would be AdamW's in silence. */
START_TEST(every_network_has_some)
{
    for (int i = 0; mdm_network_at(i); i++) {
        size_t k = 0;

        while (k < sizeof weights / sizeof *weights &&
               (strcmp(weights[k].network, mdm_network_at(i)->name) != 0 || !weights[k].parts))
            k++;
        ck_assert_msg(k < sizeof weights / sizeof *weights, "no weight of %s is among those above",
                      mdm_network_at(i)->name);
    }
}
END_TEST

/* Without a bound on the norm, what Muon does not move goes as under AdamW, to the bit; and the others do not. */
START_TEST(the_others_are_adamws)
{
    struct tiny a, b;
    float *x, *y, *p, *q;

    open_with(&a, "lr=2e-3 clip_norm=0", "threads=1", NULL);
    open_with(&b, "lr=2e-3 clip_norm=0 optimizer=muon", "threads=1", NULL);
    tiny_step(&a, 1);
    tiny_step(&b, 1);
    p = x = tiny_weights(&a, MASKDM_WEIGHTS_ONLINE);
    q = y = tiny_weights(&b, MASKDM_WEIGHTS_ONLINE);
    for (int i = 0; i < a.model->layout.count; i++) {
        const struct mdm_param *of = &a.model->layout.list[i];
        const size_t n = (size_t)mdm_shape_numel(&of->shape);

        ck_assert_msg((memcmp(p, q, n * sizeof *p) != 0) == (of->parts > 0), "%s", of->name);
        p += n;
        q += n;
    }
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

/* ---- parameters of the host's own ---- */

enum { WIDE = 6 };

static maskdm_optimizer *make(const char *text)
{
    maskdm_options *o = tiny_options("optimizer", text), *e = tiny_options("ema", "decay=0");
    maskdm_optimizer *made;

    OK(maskdm_optimizer_create(&made, o, e));
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    return made;
}

/* q, k and v joint are q, k and v apart, to the bit, and not one matrix of all rows. */
START_TEST(joint_weights_are_moved_apart)
{
    static const char *const one[] = {"qkv"}, *const three[] = {"q", "k", "v"};
    static const int64_t joint[4] = {3 * WIDE, WIDE}, apart[12] = {WIDE, WIDE, 0, 0, WIDE, WIDE, 0, 0, WIDE, WIDE};
    static const int32_t parts[] = {3}, each[] = {1, 1, 1}, whole[] = {1};
    const char options[] = "optimizer=muon clip_norm=0 muon_lr=0.1 muon_scale=original";
    maskdm_device *device = tiny_device("threads=2");
    maskdm_optimizer *o[3] = {make(options), make(options), make(options)};
    float w[3 * WIDE * WIDE], g[3 * WIDE * WIDE], got[3][3 * WIDE * WIDE];
    const float *const start[] = {w}, *const starts[] = {w, w + WIDE * WIDE, w + 2 * WIDE * WIDE};
    enum { N = WIDE * WIDE };

    for (int i = 0; i < 3 * N; i++) {
        w[i] = (float)cos(i);
        g[i] = (float)sin(0.7 * i * i);
    }
    OK(maskdm_optimizer_bind(o[0], device, 1, one, joint, parts, start));
    OK(maskdm_optimizer_bind(o[1], device, 3, three, apart, each, starts));
    OK(maskdm_optimizer_bind(o[2], device, 1, one, joint, whole, start));
    for (int s = 0; s < 3; s++)
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < (k == 1 ? 3 : 1); i++)
                OK(maskdm_optimizer_set_gradient(o[k], i, g + i * N, k == 1 ? N : 3 * N));
            OK(maskdm_optimizer_step(o[k]));
        }
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < (k == 1 ? 3 : 1); i++)
            OK(maskdm_optimizer_weights(o[k], i, got[k] + i * N, k == 1 ? N : 3 * N));
    ck_assert_mem_eq(got[0], got[1], sizeof got[0]);
    ck_assert(memcmp(got[0], got[2], sizeof got[0]) != 0);
    for (int k = 0; k < 3; k++)
        maskdm_optimizer_release(&o[k]);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(binding_is_checked)
{
    static const char *const names[] = {"a", "b"}, *const same[] = {"a", "a"};
    static const int64_t shapes[8] = {4, 3, 0, 0, 5}, empty[8] = {4, 3}, odd[8] = {4, -3, 0, 0, 5};
    static const int32_t vector[] = {1, 1}, thirds[] = {3, 0};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_optimizer *o = make("optimizer=muon");
    const long live = mdm_alloc_live();
    float value[12] = {0};
    struct tiny t;

    FAILS(MASKDM_EINVAL, "of 0 parameters", maskdm_optimizer_bind(o, device, 0, names, shapes, NULL, NULL));
    FAILS(MASKDM_EINVAL, "the name \"a\"", maskdm_optimizer_bind(o, device, 2, same, shapes, NULL, NULL));
    FAILS(MASKDM_ESHAPE, "\"b\" has a dimension of 0", maskdm_optimizer_bind(o, device, 2, names, empty, NULL, NULL));
    FAILS(MASKDM_ESHAPE, "\"a\" has a dimension of -3", maskdm_optimizer_bind(o, device, 2, names, odd, NULL, NULL));
    FAILS(MASKDM_ESHAPE, "\"b\" of 1 dimension,", maskdm_optimizer_bind(o, device, 2, names, shapes, vector, NULL));
    FAILS(MASKDM_ESHAPE, "no 3 matrices", maskdm_optimizer_bind(o, device, 2, names, shapes, thirds, NULL));
    ck_assert_int_eq(mdm_alloc_live(), live);
    FAILS(MASKDM_EINVAL, "not bound", maskdm_optimizer_weights(o, 0, value, 12));
    FAILS(MASKDM_EINVAL, "not bound", maskdm_optimizer_step(o));
    OK(maskdm_optimizer_bind(o, device, 2, names, shapes, NULL, NULL));
    FAILS(MASKDM_EINVAL, "bound already", maskdm_optimizer_bind(o, device, 2, names, shapes, NULL, NULL));
    FAILS(MASKDM_ESHAPE, "12 elements, not 11", maskdm_optimizer_set_weights(o, 0, value, 11));
    FAILS(MASKDM_EINVAL, "width 0 is none of", maskdm_optimizer_average(o, 0, 0, value, 12));
    OK(maskdm_optimizer_step(o));
    maskdm_optimizer_release(&o);
    tiny_open(&t, NULL);
    FAILS(MASKDM_EINVAL, "a trainer's", maskdm_optimizer_set_weights(t.optimizer, 0, value, 1));
    FAILS(MASKDM_EINVAL, "bound already", maskdm_optimizer_bind(t.optimizer, device, 2, names, shapes, NULL, NULL));
    tiny_close(&t);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(options_that_contradict)
{
    maskdm_options *o = tiny_options("optimizer", "optimizer=muon lr=0 muon_lr=0.02");
    maskdm_optimizer *made;

    FAILS(MASKDM_EINVAL, "muon_lr is 0.02, but lr", maskdm_optimizer_create(&made, o, NULL));
    maskdm_options_release(&o);
    o = tiny_options("optimizer", "muon_lr=0.02");
    FAILS(MASKDM_EINVAL, "muon_lr belongs to optimizer=muon", maskdm_optimizer_create(&made, o, NULL));
    maskdm_options_release(&o);
}
END_TEST

/* ---- in training ---- */

START_TEST(learns)
{
    struct tiny t;
    double first = 0, last = 0;

    open_with(&t, "optimizer=muon lr=5e-3", "threads=2", NULL);
    for (int step = 0; step < 60; step++) {
        tiny_step(&t, 1);
        first += step < 5 ? maskdm_trainer_last_loss(t.trainer) : 0;
        last += step >= 55 ? maskdm_trainer_last_loss(t.trainer) : 0;
    }
    ck_assert_msg(last < 0.7 * first, "the loss went from %g to %g", first / 5, last / 5);
    tiny_close(&t);
}
END_TEST

START_TEST(resumes_to_the_byte_on_any_threads)
{
    static const char muon[] = "optimizer=muon lr=2e-3 muon_lr=0.01 muon_scale=original lr_schedule=wsd lr_steps=6";
    const char *folder = tiny_folder();
    char state[300], single[300], parts[300];
    struct tiny t;

    snprintf(state, sizeof state, "%s/state", folder);
    snprintf(single, sizeof single, "%s/single", folder);
    snprintf(parts, sizeof parts, "%s/parts", folder);
    open_with(&t, muon, "threads=1", "batch_size=8 accumulate=2 seed=3");
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, state));
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, single));
    tiny_close(&t);
    open_with(&t, muon, "threads=3", "batch_size=8 accumulate=2 seed=3");
    OK(maskdm_trainer_load(t.trainer, state));
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, parts));
    ck_assert(tiny_same_files(single, parts));
    tiny_close(&t);
    open_with(&t, NULL, "threads=1", "batch_size=8 accumulate=2 seed=3");
    FAILS(MASKDM_EINVAL, "optimizer muon, this one adamw", maskdm_trainer_load(t.trainer, state));
    tiny_close(&t);
    remove(state);
    remove(single);
    remove(parts);
    rmdir(folder);
}
END_TEST

/* A rule that halves a doubled rate changes nothing; what a rule freezes stays, and its average with it. */
START_TEST(groups_and_frozen_matrices)
{
    struct tiny a, b;
    float *x, *y;

    open_with(&a, "optimizer=muon lr=1e-3", "threads=1", NULL);
    open_with(&b, "optimizer=muon lr=2e-3", "threads=1", NULL);
    OK(maskdm_optimizer_set_group(b.optimizer, "*", 0.5, (double)NAN));
    tiny_step(&a, 2);
    tiny_step(&b, 2);
    x = tiny_weights(&a, MASKDM_WEIGHTS_ONLINE);
    y = tiny_weights(&b, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(y);
    OK(maskdm_optimizer_set_group(a.optimizer, "*", 0, (double)NAN));
    tiny_step(&a, 2);
    y = tiny_weights(&a, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

/* The average apart from the step is the average in it, and a step that is skipped leaves no trace. */
START_TEST(averages_and_skipped_steps)
{
    struct tiny a, b;
    float *x, *y;
    const float bad = NAN;

    open_with(&a, "optimizer=muon lr=2e-3", "threads=1", NULL);
    open_with(&b, "optimizer=muon lr=2e-3", "threads=1", NULL);
    for (int s = 0; s < 4; s++) {
        tiny_step(&a, 1);
        OK(maskdm_trainer_draw(b.trainer, b.data, 0));
        OK(maskdm_trainer_forward(b.trainer));
        OK(maskdm_trainer_loss(b.trainer, NULL));
        OK(maskdm_trainer_backward(b.trainer, NULL));
        OK(maskdm_optimizer_step(b.optimizer));
        OK(maskdm_optimizer_update_ema(b.optimizer));
    }
    for (int set = 0; set < 2; set++) {
        x = tiny_weights(&a, (enum maskdm_weights)set);
        y = tiny_weights(&b, (enum maskdm_weights)set);
        ck_assert_mem_eq(x, y, tiny_bytes(&a));
        free(y);
        if (set == 0)
            free(x);
    }
    OK(mdm_device_upload(b.device, b.optimizer->gradients, &bad, sizeof bad));
    OK(maskdm_optimizer_step(b.optimizer));
    ck_assert_int_eq(b.optimizer->applied, 4);
    y = tiny_weights(&b, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

static long left;

static int refuse(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return left-- <= 0;
}

/* Whatever allocation of a trainer with Muon is refused, nothing is lost and the optimizer can be used again. */
START_TEST(refused_memory)
{
    const struct mdm_alloc_hook hook = {.refuse = refuse};
    struct tiny t;
    maskdm_optimizer *o;
    maskdm_trainer *tr = NULL;
    long live;
    int status = MASKDM_ENOMEM;

    tiny_open(&t, NULL);
    o = make("optimizer=muon");
    live = mdm_alloc_live();
    for (long n = 0; status == MASKDM_ENOMEM; n++) {
        left = n;
        mdm_alloc_hook_set(&hook);
        status = maskdm_trainer_create(&tr, t.model, t.mask, o, NULL, NULL);
        mdm_alloc_hook_set(NULL);
        if (status < 0)
            ck_assert_int_eq(mdm_alloc_live(), live);
    }
    OK(status);
    maskdm_trainer_release(&tr);
    ck_assert_int_eq(mdm_alloc_live(), live);
    maskdm_optimizer_release(&o);
    tiny_close(&t);
}
END_TEST

/* What a trainer is said to take is what it takes. */
START_TEST(memory_is_counted)
{
    struct tiny t;

    open_with(&t, "optimizer=muon", "threads=2", NULL);
    ck_assert_uint_eq(mdm_device_used(t.device), mdm_trainer_memory(t.trainer) + mdm_model_memory(t.model));
    tiny_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("muon");
    TCase *tests = tcase_create("muon");

    tcase_add_loop_test(tests, weights_between_hidden_layers, 0, sizeof weights / sizeof *weights);
    tcase_add_test(tests, every_network_has_some);
    tcase_add_test(tests, the_others_are_adamws);
    tcase_add_test(tests, joint_weights_are_moved_apart);
    tcase_add_test(tests, binding_is_checked);
    tcase_add_test(tests, options_that_contradict);
    tcase_add_test(tests, learns);
    tcase_add_test(tests, resumes_to_the_byte_on_any_threads);
    tcase_add_test(tests, groups_and_frozen_matrices);
    tcase_add_test(tests, averages_and_skipped_steps);
    tcase_add_test(tests, refused_memory);
    tcase_add_test(tests, memory_is_counted);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
