/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the U-ViT is before it computes anything: parameters, their order, FLOPs, memory, and options refused.
 */
#include "fake.h"

#include "backend/cpu/cpu.h"
#include "base/alloc.h"
#include "model/network.h"

#include <check.h>

static maskdm_options *options(const char *text)
{
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, mdm_uvit.kind), 0);
    ck_assert_msg(mdm_options_parse(o, text) == 0, "%s", mdm_error_text());
    return o;
}

static void record(struct mdm_graph *g, struct mdm_backend *backend, struct mdm_params *layout,
                   struct mdm_ports *ports, const char *text, int64_t batch, int64_t visible)
{
    maskdm_options *o = options(text);

    mdm_graph_init(g, backend, layout, MDM_F32);
    *ports = MDM_NO_PORTS;
    mdm_uvit.record(g, ports, o, (struct mdm_extent){.batch = batch, .visible = visible});
    mdm_options_release(&o);
}

static const char small64[] = "image_size=64 patch_size=4 dim=512 depth=13 heads=8";
static const char small256[] = "image_size=256 patch_size=4 dim=512 depth=13 heads=8";
static const char base256[] = "image_size=256 patch_size=4 dim=768 depth=12 heads=12";

START_TEST(parameters_are_counted)
{
    static const struct {
        const char *options;
        int64_t numel;
    } cases[] = {{small64, 44292144}, {small256, 46258224}, {base256, 102417456}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct mdm_params layout = {0};
        struct mdm_ports ports;
        struct mdm_graph g;

        record(&g, NULL, &layout, &ports, cases[i].options, 1, 1);
        ck_assert_msg(g.failure.code == 0, "%s", g.failure.text);
        ck_assert_int_eq(layout.numel, cases[i].numel);
        mdm_graph_free(&g);

        /* A second program of the same model finds the same parameters. */
        record(&g, NULL, &layout, &ports, cases[i].options, 2, 7);
        ck_assert_int_eq(g.failure.code, 0);
        ck_assert_int_eq(layout.numel, cases[i].numel);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
}
END_TEST

START_TEST(parameters_stand_in_the_authors_order)
{
    static const char *const names[] = {"encoder.uncond_embed",
                                        "encoder.encoder_pos_embed",
                                        "encoder.patch_embed.proj.weight",
                                        "encoder.patch_embed.proj.bias",
                                        "encoder.label_emb.weight",
                                        "encoder.time_embed.0.weight",
                                        "encoder.time_embed.0.bias",
                                        "encoder.time_embed.2.weight",
                                        "encoder.time_embed.2.bias",
                                        "encoder.in_blocks.0.norm1.weight",
                                        "encoder.in_blocks.0.norm1.bias",
                                        "encoder.in_blocks.0.attn.q_bias",
                                        "encoder.in_blocks.0.attn.v_bias",
                                        "encoder.in_blocks.0.attn.qkv.weight",
                                        "encoder.in_blocks.0.attn.proj.weight",
                                        "encoder.in_blocks.0.attn.proj.bias",
                                        "encoder.in_blocks.0.norm2.weight",
                                        "encoder.in_blocks.0.norm2.bias",
                                        "encoder.in_blocks.0.mlp.fc1.weight",
                                        "encoder.in_blocks.0.mlp.fc1.bias",
                                        "encoder.in_blocks.0.mlp.fc2.weight",
                                        "encoder.in_blocks.0.mlp.fc2.bias",
                                        "encoder.mid_block.norm1.weight"};
    static const char *const last[] = {"encoder.out_blocks.0.skip_linear.weight",
                                       "encoder.out_blocks.0.skip_linear.bias",
                                       "encoder.norm.weight",
                                       "encoder.norm.bias",
                                       "encoder_to_output.weight",
                                       "encoder_to_output.bias"};
    struct mdm_params layout = {0};
    struct mdm_ports ports;
    struct mdm_graph g;

    record(&g, NULL, &layout, &ports, "image_size=8 dim=8 depth=3 heads=2 qkv_bias=true time_mlp=true classes=5", 1,
           2);
    ck_assert_int_eq(layout.count, 9 + 3 * 13 + 2 + 4);
    for (size_t i = 0; i < MDM_LENGTH(names); i++)
        ck_assert_str_eq(layout.list[i].name, names[i]);
    for (size_t i = 0; i < MDM_LENGTH(last); i++)
        ck_assert_str_eq(layout.list[(size_t)layout.count - MDM_LENGTH(last) + i].name, last[i]);
    ck_assert_int_eq(layout.list[2].shape.n, 4);
    ck_assert_int_eq(layout.list[2].init, MDM_INIT_UNIFORM);
    ck_assert_double_eq_tol(layout.list[2].scale, 1 / sqrt(48), 1e-15);
    ck_assert_double_eq(layout.list[4].scale, 1);
    ck_assert_int_eq(layout.list[9].init, MDM_INIT_ONE);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

/* Of Bao et al.'s program: U-ViT-S/2 for CIFAR-10 has 44 million, counted by hand. */
START_TEST(the_original_has_its_own_names)
{
    static const char *const names[] = {"pos_embed",
                                        "patch_embed.proj.weight",
                                        "patch_embed.proj.bias",
                                        "label_emb.weight",
                                        "time_embed.0.weight",
                                        "time_embed.0.bias",
                                        "time_embed.2.weight",
                                        "time_embed.2.bias",
                                        "in_blocks.0.norm1.weight",
                                        "in_blocks.0.norm1.bias",
                                        "in_blocks.0.attn.qkv.weight",
                                        "in_blocks.0.attn.qkv.bias",
                                        "in_blocks.0.attn.proj.weight"};
    static const char *const last[] = {"out_blocks.0.skip_linear.bias",
                                       "norm.weight",
                                       "norm.bias",
                                       "decoder_pred.weight",
                                       "decoder_pred.bias",
                                       "final_layer.weight",
                                       "final_layer.bias"};
    static const int64_t blocks = 13 * (12 * 512 * 512 + 10 * 512) + 6 * (2 * 512 * 512 + 512);
    struct mdm_params layout = {0};
    struct mdm_ports ports;
    struct mdm_graph g;

    record(&g, NULL, &layout, &ports,
           "form=original conv=true image_size=8 dim=8 depth=3 heads=2 qkv_bias=true time_mlp=true classes=5", 1, 2);
    for (size_t i = 0; i < MDM_LENGTH(names); i++)
        ck_assert_str_eq(layout.list[i].name, names[i]);
    for (size_t i = 0; i < MDM_LENGTH(last); i++)
        ck_assert_str_eq(layout.list[(size_t)layout.count - MDM_LENGTH(last) + i].name, last[i]);
    ck_assert_int_eq(layout.list[3].shape.d[0], 5);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
    record(&g, NULL, &layout, &ports, "form=original conv=true image_size=32 patch_size=2 dim=512 depth=12 heads=8",
           1, 2);
    ck_assert_int_eq(layout.numel, blocks + 257 * 512 + 13 * 512 + 2 * 512 + 512 * 12 + 12 + 81 + 3);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

/* GFLOP of one image by the formula of Lei et al.'s network, counted by hand. */
/* The first block behind the middle is given what the last before it was given, and so on outwards. */
START_TEST(skips_join_from_the_inside)
{
    struct mdm_params layout = {0};
    struct mdm_ports ports;
    struct mdm_graph g;
    int joined = 0;
    mdm_val before = 0;

    record(&g, NULL, &layout, &ports, "dim=64 depth=9", 1, 4);
    ck_assert_msg(g.failure.code == 0, "%s", g.failure.text);
    for (int i = 0; i < g.n_node; i++)
        if (g.node[i].op->id == MDM_OP_LINEAR2) {
            ck_assert(!joined++ || g.node[i].in[1] < before);
            before = g.node[i].in[1];
        }
    ck_assert_int_eq(joined, 4);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

/* As PyTorch begins a convolution, weight and bias. */
START_TEST(patches_begin_as_a_convolution)
{
    static const char *const names[] = {"encoder.patch_embed.proj.weight", "encoder.patch_embed.proj.bias"};
    struct mdm_params layout = {0};
    struct mdm_ports ports;
    struct mdm_graph g;
    float *weights;

    record(&g, NULL, &layout, &ports, "dim=256 patch_size=2 channels=3", 1, 4);
    weights = malloc(layout.length * sizeof *weights);
    mdm_params_init(&layout, weights, 3);
    for (int k = 0; k < 2; k++) {
        const struct mdm_param *p = &layout.list[mdm_params_find(&layout, names[k])];
        const float bound = 1 / sqrtf(12);
        float most = 0;

        for (int64_t i = 0; i < mdm_shape_numel(&p->shape); i++)
            most = fmaxf(most, fabsf(weights[p->at + (size_t)i]));
        ck_assert(most <= bound && most > 0.9f * bound);
    }
    free(weights);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

START_TEST(flops_are_counted)
{
    static const struct {
        int64_t visible;
        double forward, both;
    } cases[] = {{256, 24.42, 73.25}, {128, 11.82, 35.45}, {64, 5.844, 17.53}, {26, 2.400, 7.199}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct mdm_params layout = {0};
        struct mdm_ports ports;
        struct mdm_graph g;
        double forward, both;

        record(&g, &fake_backend, &layout, &ports, small64, 4, cases[i].visible);
        ck_assert_msg(mdm_graph_plan(&g, MDM_PLAN_TRAIN) == 0, "%s", mdm_error_text());
        forward = mdm_graph_flops(&g, 0) / 4e9;
        both = forward + mdm_graph_flops(&g, 1) / 4e9;
        ck_assert_double_eq_tol(forward, cases[i].forward, 0.01 * cases[i].forward);
        ck_assert_double_eq_tol(both, cases[i].both, 0.01 * cases[i].both);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
}
END_TEST

/* 24 tokens and 2 more: a block's work is nearly that of its tokens, and 7 of 9 are routed here. */
START_TEST(routing_saves_work)
{
    static const char net[] = "image_size=24x16 patch_size=4 dim=32 depth=9 heads=2 classes=3";
    static const struct {
        const char *more;
        int64_t routed;
    } cases[] = {{"", 0},
                 {" route_ratio=0.04", 0},
                 {" route_ratio=0.25 route_from=1", 18},
                 {" route_ratio=0.5 route_from=1", 12},
                 {" route_ratio=0.5 route_from=0", 12},
                 {" route_ratio=0.99 route_from=0", 1}};
    double first[2] = {0}, last[2] = {0}, work[2];
    int nodes = 0;

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct mdm_params layout = {0};
        struct mdm_ports ports = MDM_NO_PORTS;
        struct mdm_graph g;
        char text[200];
        maskdm_options *o;
        struct mdm_extent e = {.batch = 2, .visible = 24};

        mdm_format(text, sizeof text, "%s%s", net, cases[i].more);
        o = options(text);
        ck_assert_int_eq(mdm_network_train(&mdm_uvit, o, &e), 0);
        ck_assert_int_eq(e.routed[0], cases[i].routed);
        ck_assert_int_eq(mdm_extent_kept(&e), 2 * cases[i].routed);
        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        mdm_uvit.record(&g, &ports, o, e);
        ck_assert_msg(mdm_graph_plan(&g, MDM_PLAN_TRAIN) == 0, "%s", mdm_error_text());
        nodes = i ? nodes : g.n_node;
        ck_assert_int_eq(ports.keep[0] != MDM_NONE, e.routed[0] != 0);
        ck_assert_int_eq(g.n_node > nodes, e.routed[0] != 0);
        for (int back = 0; back < 2; back++) {
            work[back] = mdm_graph_flops(&g, back);
            first[back] = i ? first[back] : work[back];
            ck_assert(e.routed[0] ? work[back] < last[back] : work[back] == first[back]);
            last[back] = work[back];
        }
        if (e.routed[0] == 12 && strstr(text, "from=1"))
            ck_assert_double_eq_tol(work[0] / first[0], (2 + 7 * 14.0 / 26) / 9, 0.03);
        mdm_options_release(&o);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
}
END_TEST

START_TEST(planning_saves_memory)
{
    const struct mdm_device_settings settings = {.workers = 1, .guard = 1, .instruction_set = "auto"};
    struct mdm_params layout = {0};
    struct mdm_backend *cpu;
    struct mdm_ports ports;
    struct mdm_graph g;
    size_t train;

    ck_assert_int_eq(mdm_cpu_open(&cpu, &settings), 0);
    record(&g, cpu, &layout, &ports, small64, 8, 64);
    ck_assert_msg(mdm_graph_plan(&g, MDM_PLAN_TRAIN) == 0, "%s", mdm_error_text());
    train = g.arena_bytes;
    ck_assert_msg((double)train <= 0.6 * (double)g.unplanned_bytes, "%zu of %zu bytes", train, g.unplanned_bytes);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), 0);
    ck_assert_msg(g.arena_bytes < train / 4, "%zu of %zu bytes", g.arena_bytes, train);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
    cpu->v->close(cpu);
}
END_TEST

START_TEST(sharing_changes_no_bit)
{
    static const char *const nets[] = {"image_size=8 dim=8 depth=5 heads=2",
                                       "image_size=8x12 dim=6 depth=3 heads=1 qkv_bias=true time_mlp=true classes=4"};
    enum { ROOM = 100000 };
    static float result[2][ROOM];

    for (int i = 0; i < 4; i++) {
        int64_t count[2];

        for (int apart = 0; apart < 2; apart++) {
            struct mdm_params layout = {0};
            struct mdm_ports ports;
            struct mdm_graph g;

            record(&g, &fake_backend, &layout, &ports, nets[i / 2], 2, 3);
            ck_assert_int_eq(mdm_graph_plan(&g, (i % 2 ? MDM_PLAN_TRAIN : 0) | (apart ? MDM_PLAN_UNSHARED : 0)), 0);
            count[apart] = fake_step(&g, result[apart], ROOM);
            mdm_graph_free(&g);
            mdm_params_free(&layout);
        }
        ck_assert(count[0] > 0 && count[0] < ROOM && count[0] == count[1]);
        for (int64_t k = 0; k < count[0]; k++)
            ck_assert(!isnan(result[0][k]));
        ck_assert_int_eq(memcmp(result[0], result[1], (size_t)count[0] * sizeof(float)), 0);
    }
}
END_TEST

/* Predict `batch` images of which image 0 is always the same, products cut per image; its output is returned. */
static float *predict(const char *set, const char *text, int64_t batch, int64_t visible, size_t *count)
{
    const struct mdm_device_settings settings = {.workers = 2, .guard = 1, .instruction_set = set};
    struct mdm_params layout = {0};
    struct mdm_backend *cpu;
    struct mdm_ports ports;
    struct mdm_graph g;
    float *weights, *image, *result;
    double *time;
    int32_t *index;
    void *arena;

    ck_assert_int_eq(mdm_cpu_open(&cpu, &settings), 0);
    record(&g, cpu, &layout, &ports, text, batch, visible);
    g.images = batch;
    ck_assert_msg(mdm_graph_plan(&g, 0) == 0, "%s", mdm_error_text());
    weights = calloc(layout.length, sizeof *weights);
    arena = aligned_alloc(64, g.arena_bytes);
    mdm_params_init(&layout, weights, 9);
    mdm_graph_bind(&g, arena);
    image = mdm_graph_data(&g, ports.image);
    time = mdm_graph_data(&g, ports.time);
    index = mdm_graph_data(&g, ports.index);
    for (size_t i = 0; i < g.val[ports.image].numel; i++)
        image[i] = sinf(0.1f * (float)i);
    for (int64_t b = 0; b < batch; b++)
        time[b] = 500.0 + (double)b;
    for (int64_t i = 0; i < batch * visible; i++)
        index[i] = (int32_t)(i % visible);
    ck_assert_msg(mdm_graph_forward(&g, weights, NULL) == 0, "%s", mdm_error_text());
    *count = g.val[ports.output].numel / (size_t)batch;
    result = malloc(*count * sizeof *result);
    memcpy(result, mdm_graph_data(&g, ports.output), *count * sizeof *result);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
    cpu->v->close(cpu);
    free(weights);
    free(arena);
    return result;
}

/* Of the parameters that predict() has, those of the last convolution: w[3,3,3,3], then b[3]. */
static void last_convolution(const char *text, float w[84])
{
    struct mdm_params layout = {0};
    struct mdm_ports ports;
    struct mdm_graph g;
    float *weights;

    record(&g, &fake_backend, &layout, &ports, text, 1, 1);
    weights = calloc(layout.length, sizeof *weights);
    mdm_params_init(&layout, weights, 9);
    memcpy(w, weights + layout.list[mdm_params_find(&layout, "final_layer.weight")].at, 81 * sizeof *w);
    memcpy(w + 81, weights + layout.list[mdm_params_find(&layout, "final_layer.bias")].at, 3 * sizeof *w);
    free(weights);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}

/* Value of the patches y of 4 x 4 pixels, 6 side by side, of which the first `visible` are there. */
static double value_at(const float *y, int64_t visible, int row, int column, int channel)
{
    const int patch = row / 4 * 6 + column / 4;

    if (row < 0 || row >= 16 || column < 0 || column >= 24 || patch >= visible)
        return 0;
    return (double)y[((patch * 4 + row % 4) * 4 + column % 4) * 3 + channel];
}

/* The network with the convolution is the one without, then the sum over each pixel's neighbours; there are none
 * outside the image and in hidden patches. */
START_TEST(the_last_convolution_sees_visible_patches)
{
    static const char plain[] = "image_size=16x24 patch_size=4 dim=24 depth=3 heads=2";
    static const char smooth[] = "image_size=16x24 patch_size=4 dim=24 depth=3 heads=2 conv=true";
    float w[84];

    last_convolution(smooth, w);
    for (int64_t visible = 10; visible <= 24; visible += 14) {
        size_t count;
        float *before = predict("auto", plain, 2, visible, &count),
              *after = predict("auto", smooth, 2, visible, &count);

        ck_assert_uint_eq(count, (size_t)(visible * 48));
        for (size_t i = 0; i < count; i++) {
            const int patch = (int)(i / 48), o = (int)i % 3;
            const int row = patch / 6 * 4 + (int)i % 48 / 12, column = patch % 6 * 4 + (int)i % 12 / 3;
            double sum = (double)w[81 + o];

            for (int k = 0; k < 27; k++)
                sum +=
                    (double)w[o * 27 + k] * value_at(before, visible, row + k / 3 % 3 - 1, column + k % 3 - 1, k / 9);
            ck_assert_double_eq_tol((double)after[i], sum, 1e-6);
        }
        free(before);
        free(after);
    }
}
END_TEST

START_TEST(an_image_does_not_depend_on_its_batch)
{
    static const char net[] =
        "image_size=28x20 patch_size=2 dim=72 depth=3 heads=3 time_mlp=true qkv_bias=true conv=true";
    const char *set = _i ? "c" : "auto";
    size_t count;
    float *alone = predict(set, net, 1, 140, &count);

    for (int64_t batch = 2; batch <= 9; batch += 7) {
        float *together = predict(set, net, batch, 140, &count);
        ck_assert_int_eq(memcmp(alone, together, count * sizeof *alone), 0);
        free(together);
    }
    free(alone);
}
END_TEST

START_TEST(options_are_checked)
{
    static const struct {
        const char *options, *line;
    } cases[] = {
        {"image_size=30 patch_size=4", "patch_size 4 does not divide image_size 30x30"},
        {"image_size=32x30 patch_size=4", "patch_size 4 does not divide image_size 32x30"},
        {"dim=10 heads=4", "heads 4 does not divide dim 10"},
        {"dim=9 heads=3", "dim 9 is odd, but half of it is cosines of the time and half sines"},
        {"image_size=4096 patch_size=2",
         "image_size 4096x4096 has 4194304 patches of patch_size 2, more than 1048576"},
        {"route_ratio=1", "route_ratio 1 is not below 1"},
        {"depth=4 route_ratio=0.5 route_from=3",
         "route_from 3 leaves no block to route among 5, of which 3 stand behind"},
        {"dim=4 heads=2 mlp_ratio=0.125", "mlp_ratio gives a hidden layer below 1 or above 64 times dim 4"},
    };
    struct mdm_geometry geo;
    maskdm_options *o;

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct mdm_params layout = {0};
        struct mdm_ports ports;
        struct mdm_graph g;

        o = options(cases[i].options);
        ck_assert_int_eq(mdm_uvit.geometry(&geo, o), MASKDM_EINVAL);
        ck_assert_str_eq(mdm_error_text(), cases[i].line);
        mdm_options_release(&o);
        record(&g, &fake_backend, &layout, &ports, cases[i].options, 1, 1);
        ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
        ck_assert_str_eq(mdm_error_text(), cases[i].line);
        ck_assert_int_eq(ports.output, MDM_NONE);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
    o = options("image_size=48x32 patch_size=8 channels=1 classes=7");
    ck_assert_int_eq(mdm_uvit.geometry(&geo, o), 0);
    ck_assert_int_eq(geo.height, 48);
    ck_assert_int_eq(geo.width, 32);
    ck_assert_int_eq(geo.rows, 6);
    ck_assert_int_eq(geo.columns, 4);
    ck_assert_int_eq(geo.patches, 24);
    ck_assert_int_eq(geo.channels, 1);
    ck_assert_int_eq(geo.classes, 7);
    mdm_options_release(&o);
    ck_assert_ptr_eq(mdm_network_find("uvit"), &mdm_uvit);
    ck_assert_ptr_null(mdm_network_find("gan"));
}
END_TEST

static int refuse_nth(void *user, size_t bytes)
{
    long *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(refused_memory_is_reported)
{
    maskdm_options *o = options("image_size=8 dim=8 depth=3 heads=2 classes=2");
    long live = mdm_alloc_live(), left = 0, n = 0;
    struct mdm_alloc_hook hook = {refuse_nth, &left};
    int rc = -1;

    for (n = 0; rc != 0; n++) {
        struct mdm_params layout = {0};
        struct mdm_ports ports = MDM_NO_PORTS;
        struct mdm_graph g;

        left = n;
        mdm_alloc_hook_set(&hook);
        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        mdm_uvit.record(&g, &ports, o, (struct mdm_extent){.batch = 2, .visible = 3});
        rc = mdm_graph_plan(&g, MDM_PLAN_TRAIN);
        mdm_alloc_hook_set(NULL);
        ck_assert(rc == 0 || rc == MASKDM_ENOMEM);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
        ck_assert_int_eq(mdm_alloc_live(), live);
    }
    ck_assert_int_gt(n, 30);
    mdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("uvit");
    TCase *t = tcase_create("uvit");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, parameters_are_counted);
    tcase_add_test(t, parameters_stand_in_the_authors_order);
    tcase_add_test(t, the_original_has_its_own_names);
    tcase_add_test(t, the_last_convolution_sees_visible_patches);
    tcase_add_test(t, skips_join_from_the_inside);
    tcase_add_test(t, patches_begin_as_a_convolution);
    tcase_add_test(t, flops_are_counted);
    tcase_add_test(t, routing_saves_work);
    tcase_add_test(t, planning_saves_memory);
    tcase_add_test(t, sharing_changes_no_bit);
    tcase_add_loop_test(t, an_image_does_not_depend_on_its_batch, 0, 2);
    tcase_add_test(t, options_are_checked);
    tcase_add_test(t, refused_memory_is_reported);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
