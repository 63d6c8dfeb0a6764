/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The FLOPs that a graph counts beside formulas of each network that know nothing of graphs; and what a trainer says
 * of its steps: images, tokens, FLOPs, and what mask and routing save.
 */
#include "model/model.h"
#include "model/program.h"
#include "tiny.h"
#include "train/cost.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* ---- formulas: a product of n x a by a x b is 2 n a b, and so is each of its gradients ---- */

struct sum {
    double forward, backward;
};

static void add(struct sum *s, double n, double a, double b, int gradients)
{
    s->forward += 2 * n * a * b;
    s->backward += gradients * 2 * n * a * b;
}

/* All heads of one image with n tokens. */
static void add_attention(struct sum *s, double images, double n, double dim)
{
    add(s, 2 * images * n, n, dim, 2);
}

static void add_block(struct sum *s, double images, double n, double dim, double hidden)
{
    add(s, images * n, dim, 3 * dim, 2);
    add_attention(s, images, n, dim);
    add(s, images * n, dim, dim, 2);
    add(s, images * n, dim, hidden, 2);
    add(s, images * n, hidden, dim, 2);
}

/* Tokens of block i where `passing` of them skip all but the first and last `from`. */
static double tokens(int i, int depth, int from, double kept, double passing)
{
    return i >= from && i < depth - from ? kept - passing : kept;
}

enum { B = 3, H = 16, W = 24, C = 3, P = 4, ROWS = H / P, COLUMNS = W / P, PATCHES = ROWS * COLUMNS };

/* Time and class tokens in front; every block behind the middle begins with a product over itself and its mirror. */
static struct sum uvit(double kept, double routed)
{
    enum { D = 32, DEPTH = 5 };
    struct sum s = {0, 0};

    add(&s, B * kept, C * P * P, D, 1);
    for (int i = 0; i < DEPTH; i++) {
        const double n = tokens(i, DEPTH, 1, kept, routed ? kept - routed : 0) + 2;

        if (i > DEPTH / 2)
            add(&s, B * n, 2 * D, D, 2);
        add_block(&s, B, n, D, 4 * D);
    }
    add(&s, B * kept, D, C * P * P, 2);
    return s;
}

static struct sum dit(double kept, double routed)
{
    enum { D = 24, DEPTH = 4, HIDDEN = 60 };
    struct sum s = {0, 0};

    add(&s, B * kept, C * P * P, D, 1);
    add(&s, B, 256, D, 1);
    add(&s, B, D, D, 2);
    for (int i = 0; i < DEPTH; i++) {
        add(&s, B, D, 6 * D, 2);
        add_block(&s, B, tokens(i, DEPTH, 1, kept, routed ? kept - routed : 0), D, HIDDEN);
    }
    add(&s, B, D, 2 * D, 2);
    add(&s, B * kept, D, 2 * C * P * P, 2); /* learn_sigma */
    return s;
}

/* SwiGLU's layer is two thirds as wide, twice; class tokens stand in front from block 1 on. */
static struct sum jit(double kept, double routed)
{
    enum { D = 24, DEPTH = 3, BOTTLENECK = 5, CONTEXT = 2, HIDDEN = 64 };
    struct sum s = {0, 0};

    (void)routed;
    add(&s, B * kept, C * P * P, BOTTLENECK, 1);
    add(&s, B * kept, BOTTLENECK, D, 2);
    add(&s, B, 256, D, 1);
    add(&s, B, D, D, 2);
    for (int i = 0; i < DEPTH; i++) {
        const double n = kept + (i >= 1 ? CONTEXT : 0);

        add(&s, B, D, 6 * D, 2);
        add(&s, B * n, D, 3 * D, 2);
        add_attention(&s, B, n, D);
        add(&s, B * n, D, D, 2);
        add(&s, B * n, D, 2 * HIDDEN, 2);
        add(&s, B * n, HIDDEN, D, 2);
    }
    add(&s, B, D, 2 * D, 2);
    add(&s, B * kept, D, C * P * P, 2);
    return s;
}

/* Of `in` to `out` channels; the time is 32 numbers there. */
static void add_residual(struct sum *s, double pixels, double in, double out)
{
    add(s, B * pixels, 9 * in, out, 2);
    add(s, B, 32, out, 2);
    add(s, B * pixels, 9 * out, out, 2);
    if (in != out)
        add(s, B * pixels, in, out, 2);
}

/* Two levels of 8 and 16 channels, one residual block in each going down and two going up, attention in the middle.
 */
static struct sum unet(double kept, double routed)
{
    const double whole = H * W, half = whole / 4;
    struct sum s = {0, 0};

    (void)kept;
    (void)routed;
    add(&s, B * whole, 9 * C, 8, 1);
    add(&s, B, 8, 32, 1);
    add(&s, B, 32, 32, 2);
    add_residual(&s, whole, 8, 8);
    add(&s, B * half, 9 * 8, 8, 2); /* to half the size */
    add_residual(&s, half, 8, 16);
    add_residual(&s, half, 16, 16);
    for (int i = 0; i < 4; i++)
        add(&s, B * half, 16, 16, 2);
    add_attention(&s, B, half, 16);
    add_residual(&s, half, 16, 16);
    add_residual(&s, half, 16 + 16, 16);
    add_residual(&s, half, 16 + 8, 16);
    add(&s, B * whole, 9 * 16, 16, 2); /* at the whole size again */
    add_residual(&s, whole, 16 + 8, 8);
    add_residual(&s, whole, 8 + 8, 8);
    add(&s, B * whole, 9 * 8, C, 2);
    return s;
}

#define SIZES "image_size=16x24 channels=3 patch_size=4 "

static const struct {
    const char *network, *options;
    struct sum (*formula)(double kept, double routed);
    int whole; /* images alone */
} nets[] = {
    {"uvit", SIZES "dim=32 depth=5 heads=2 classes=3", uvit, 0},
    {"uvit", SIZES "dim=32 depth=5 heads=2 classes=3 route_ratio=0.5 route_from=1", uvit, 0},
    {"dit", SIZES "dim=24 depth=4 heads=3 mlp_ratio=2.5 classes=3 learn_sigma=true", dit, 0},
    {"dit", SIZES "dim=24 depth=4 heads=3 mlp_ratio=2.5 learn_sigma=true route_ratio=0.25 route_from=1", dit, 0},
    {"jit", SIZES "dim=24 depth=3 heads=2 bottleneck=5 in_context_len=2 in_context_start=1 classes=2", jit, 0},
    {"unet", SIZES "block_out_channels=8,16 norm_num_groups=4 layers_per_block=1 attention_head_dim=4", unet, 1},
};

static maskdm_model *model_of(maskdm_device *device, const char *network, const char *text)
{
    maskdm_options *o;
    maskdm_model *m;

    ck_assert_int_eq(maskdm_options_create(&o, network), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert_msg(maskdm_model_create(&m, device, network, o, NULL, 1) == MASKDM_OK, "%s", maskdm_last_error());
    maskdm_options_release(&o);
    return m;
}

START_TEST(graphs_and_formulas_agree)
{
    maskdm_device *device = tiny_device("threads=1");

    for (size_t i = 0; i < MDM_LENGTH(nets); i++) {
        maskdm_model *m = model_of(device, nets[i].network, nets[i].options);

        for (int64_t kept = PATCHES; kept > 0; kept -= 9) {
            struct mdm_extent e = {.batch = B, .visible = kept};
            struct mdm_program_flops f;
            struct sum s;

            if (nets[i].whole && kept < PATCHES)
                break;
            ck_assert_int_eq(mdm_network_train(m->network, m->options, &e), MASKDM_OK);
            s = nets[i].formula((double)kept, (double)e.routed[0]);
            ck_assert_int_eq(mdm_program_count(&f, m, e, MDM_PROGRAM_TRAIN), MASKDM_OK);
            ck_assert_msg(f.forward == s.forward, "%s, %d: forward %.17g, not %.17g", nets[i].options, (int)kept,
                          f.forward, s.forward);
            ck_assert_msg(f.backward == s.backward, "%s, %d: backward %.17g, not %.17g", nets[i].options, (int)kept,
                          f.backward, s.backward);
            ck_assert_int_eq(mdm_program_count(&f, m, e, MDM_PROGRAM_PREDICT), MASKDM_OK);
            ck_assert(f.forward == s.forward);
        }
        maskdm_model_release(&m);
    }
    maskdm_device_release(&device);
}
END_TEST

/* ---- trainers ---- */

static struct maskdm_cost cost_of(maskdm_trainer *t)
{
    struct maskdm_cost c = {.struct_size = sizeof c};

    OK(maskdm_trainer_cost(t, &c));
    ck_assert_uint_eq(c.struct_size, sizeof c);
    return c;
}

START_TEST(steps_add_up)
{
    struct maskdm_cost before, after, part = {.struct_size = offsetof(struct maskdm_cost, flops)};
    double step, trained = 0;
    struct tiny t;

    tiny_open(&t, "batch_size=8 accumulate=2 seed=3"); /* 8 of 16 patches are visible */
    before = cost_of(t.trainer);
    ck_assert(before.step == 0 && before.images == 0 && before.tokens == 0 && before.flops == 0);
    for (int64_t i = 0; i < maskdm_model_parameter_count(t.model); i++) {
        const struct mdm_param *p = &t.model->layout.list[i];

        trained += p->frozen ? 0 : (double)mdm_shape_numel(&p->shape);
    }
    step = before.step_forward + before.step_backward + before.step_optimizer;
    ck_assert_double_eq_tol(before.step_optimizer, 21 * trained, 1e-6 * trained); /* as train/cost.c counts */
    ck_assert(before.step_backward > 1.9 * before.step_forward && before.step_backward < 2 * before.step_forward);
    tiny_step(&t, 3);
    after = cost_of(t.trainer);
    ck_assert(after.step == 3 && after.images == 24 && after.tokens == 24 * 8);
    ck_assert_double_eq_tol(after.flops, 3 * step, 1e-9 * step);
    ck_assert(after.whole_flops > 1.8 * after.flops && after.seconds > 0);
    ck_assert_int_eq(maskdm_trainer_cost(t.trainer, &part), MASKDM_OK); /* a host of an earlier version */
    ck_assert_uint_eq(part.struct_size, offsetof(struct maskdm_cost, flops));
    ck_assert(part.tokens == after.tokens && part.flops == 0);
    part.struct_size = 0;
    ck_assert_int_eq(maskdm_trainer_cost(t.trainer, &part), MASKDM_EINVAL);
    tiny_close(&t);
}
END_TEST

/* Without a mask and routing whole images are what is seen; images that are fewer cost as much less. */
START_TEST(whole_images_are_what_they_are)
{
    struct tiny t;
    struct maskdm_cost c;
    double eight;

    tiny_open_on(&t, tiny_device("threads=1"), NULL, "type=none", NULL, "decay=0", "batch_size=8");
    tiny_step(&t, 1);
    c = cost_of(t.trainer);
    ck_assert(c.flops == c.whole_flops && c.tokens == 8 * 16);
    eight = c.step_forward;
    tiny_close(&t);
    tiny_open_on(&t, tiny_device("threads=1"), NULL, "type=none", NULL, NULL, "batch_size=2");
    ck_assert_double_eq_tol(cost_of(t.trainer).step_forward, eight / 4, 1e-9 * eight);
    tiny_close(&t);
}
END_TEST

/* What is measured changes nothing of the training. */
START_TEST(measuring_leaves_no_trace)
{
    double passes, whole;
    struct tiny a, b;
    float *x, *y;

    tiny_open(&a, "batch_size=8 seed=3");
    tiny_open(&b, "batch_size=8 seed=3");
    tiny_step(&a, 2);
    tiny_step(&b, 1);
    OK(maskdm_trainer_measure(b.trainer, &passes, &whole));
    ck_assert(passes > 0 && whole > 0);
    tiny_step(&b, 1);
    x = tiny_weights(&a, MASKDM_WEIGHTS_ONLINE);
    y = tiny_weights(&b, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    OK(maskdm_trainer_draw(b.trainer, b.data, 0));
    ck_assert_int_eq(maskdm_trainer_measure(b.trainer, &passes, &whole), MASKDM_EINVAL);
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cost");
    TCase *t = tcase_create("cost");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, graphs_and_formulas_agree);
    tcase_add_test(t, steps_add_up);
    tcase_add_test(t, whole_images_are_what_they_are);
    tcase_add_test(t, measuring_leaves_no_trace);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
