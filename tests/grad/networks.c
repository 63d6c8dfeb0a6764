/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole small networks: gradients against central differences in double, and one training step in float whose every
 * bit is the same whether values share memory or not.
 */
#include "rig.h"

#include "model/network.h"
#include "option/option.h"

/* Two resolutions of a few channels each. */
#define UNET                                                                                                         \
    "image_size=4x8 patch_size=2 channels=1 block_out_channels=4,4 layers_per_block=1 norm_num_groups=2 "

static const struct {
    const char *name, *options;
    int64_t batch, visible;
    const int32_t *index, *label;
    int64_t routed[MDM_MOST_ROUTES];
    const int32_t *keep; /* as mdm_extent_kept() counts them */
} networks[] = {
    {"uvit", "image_size=8 patch_size=4 channels=3 dim=8 depth=3 heads=2", 2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3},
     NULL, {0}, NULL},
    {"uvit", "image_size=4x8 patch_size=2 channels=1 dim=6 depth=5 heads=3 mlp_ratio=2.5", 1, 8,
     (const int32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, NULL, {0}, NULL},
    {"uvit", "image_size=8x4 patch_size=4 channels=2 dim=8 depth=2 heads=1 qkv_bias=true time_mlp=true classes=3", 3,
     1, (const int32_t[]){1, 0, 1}, (const int32_t[]){2, -1, 2}, {0}, NULL},
    {"uvit", "image_size=6 patch_size=3 channels=4 dim=4 depth=1 heads=2 classes=1 mlp_ratio=1", 2, 4,
     (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, (const int32_t[]){0, -1}, {0}, NULL},
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=5 heads=2 mlp_ratio=1 route_ratio=0.5 route_from=1", 2,
     3, (const int32_t[]){0, 1, 3, 1, 2, 3}, NULL, {2}, (const int32_t[]){0, 2, 1, 2}},
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=3 heads=1 classes=2 route_ratio=0.75 route_from=0", 2,
     4, (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, (const int32_t[]){1, -1}, {1}, (const int32_t[]){2, 0}},
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=3 heads=1 route_ratio=0.25 route_from=1", 1, 4,
     (const int32_t[]){0, 1, 2, 3}, NULL, {3}, (const int32_t[]){0, 1, 3}},
    {"uvit",
     "form=original conv=true image_size=4x6 patch_size=2 channels=2 dim=4 depth=3 heads=1 mlp_ratio=1 "
     "qkv_bias=true time_mlp=true classes=3",
     2, 4, (const int32_t[]){0, 1, 3, 5, 1, 2, 3, 4}, (const int32_t[]){2, -1}, {0}, NULL},
    {"uvit", "conv=true image_size=8 patch_size=4 channels=3 dim=4 depth=1 heads=2", 1, 4,
     (const int32_t[]){0, 1, 2, 3}, NULL, {0}, NULL},
    {"uvit", "form=wavelet image_size=8 patch_size=2 channels=1 dim=6 depth=3 heads=3 qkv_bias=true mlp_ratio=1", 2,
     5, (const int32_t[]){0, 3, 4, 5, 7, 1, 2, 4, 6, 7}, NULL, {0}, NULL},
    {"uvit", "form=wavelet detail_scale=2 image_size=8x16 patch_size=1 channels=2 dim=4 depth=1 heads=2 classes=2", 2,
     5, (const int32_t[]){0, 5, 31, 32, 39, 1, 30, 31, 33, 34}, (const int32_t[]){1, -1}, {0}, NULL},
    {"uvit", "form=wavelet image_size=4 patch_size=1 channels=1 dim=4 depth=3 heads=1 route_ratio=0.5 route_from=1",
     2, 8, (const int32_t[]){0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7}, NULL, {4},
     (const int32_t[]){0, 2, 5, 6, 1, 3, 4, 7}},
    {"dit", "image_size=8 patch_size=4 channels=3 dim=8 depth=2 heads=2", 2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3},
     NULL, {0}, NULL},
    {"dit", "image_size=4x6 patch_size=2 channels=1 dim=8 depth=1 heads=4 mlp_ratio=1.5 classes=2", 3, 6,
     (const int32_t[]){0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}, (const int32_t[]){1, -1, 1}, {0}, NULL},
    {"dit", "image_size=6 patch_size=3 channels=2 dim=4 depth=3 heads=1 classes=1 learn_sigma=true", 2, 1,
     (const int32_t[]){3, 0}, (const int32_t[]){-1, 0}, {0}, NULL},
    {"jit",
     "image_size=8 patch_size=4 channels=3 dim=8 depth=3 heads=2 bottleneck=5 classes=3 in_context_len=2 "
     "in_context_start=1",
     2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3}, (const int32_t[]){2, -1}, {0}, NULL},
    {"jit",
     "image_size=4x6 patch_size=2 channels=1 dim=8 depth=1 heads=1 bottleneck=3 mlp_ratio=1.5 in_context_len=0", 1,
     6, (const int32_t[]){0, 1, 2, 3, 4, 5}, (const int32_t[]){-1}, {0}, NULL},
    {"jit",
     "image_size=6 patch_size=3 channels=2 dim=4 depth=2 heads=1 bottleneck=4 classes=1 in_context_len=3 "
     "in_context_start=0",
     2, 1, (const int32_t[]){3, 0}, (const int32_t[]){-1, 0}, {0}, NULL},
    {"dit", "image_size=8 patch_size=4 channels=1 dim=8 depth=3 heads=2 route_ratio=0.5 route_from=1 route_behind=1",
     2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3}, NULL, {2}, (const int32_t[]){0, 2, 1, 2}},
    {"jit",
     "image_size=8 patch_size=4 channels=1 dim=4 depth=3 heads=1 bottleneck=3 classes=1 in_context_len=2 "
     "in_context_start=1 route_ratio=0.5 route_from=1 route_behind=1",
     2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3}, (const int32_t[]){0, -1}, {2}, (const int32_t[]){0, 2, 1, 2}},
    {"jit",
     "image_size=8 patch_size=4 channels=1 dim=4 depth=4 heads=1 bottleneck=3 classes=1 in_context_len=1 "
     "in_context_start=2 route_ratio=0.5 route_from=1 route_behind=1",
     2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3}, (const int32_t[]){0, -1}, {2}, (const int32_t[]){0, 2, 1, 2}},
    {"jit",
     "image_size=8 patch_size=4 channels=1 dim=4 depth=2 heads=1 bottleneck=3 in_context_len=1 "
     "in_context_start=1 route_ratio=0.75 route_from=0 route_behind=0",
     1, 4, (const int32_t[]){0, 1, 2, 3}, (const int32_t[]){-1}, {1}, (const int32_t[]){2}},
    {"dit", "image_size=8 patch_size=4 channels=2 dim=12 depth=4 heads=3 routes=0-1:0.5,3-3:0.25", 2, 4,
     (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, NULL, {2, 3}, (const int32_t[]){0, 2, 1, 3, 0, 1, 3, 1, 2, 3}},
    {"jit",
     "image_size=8 patch_size=4 channels=1 dim=4 depth=4 heads=1 bottleneck=3 classes=1 in_context_len=2 "
     "in_context_start=1 routes=0-1:0.75,2-2:0.5",
     1, 4, (const int32_t[]){0, 1, 2, 3}, (const int32_t[]){0}, {1, 2}, (const int32_t[]){2, 0, 3}},
    {"dit", "image_size=8 patch_size=4 channels=1 dim=8 depth=3 heads=2 sprint=1", 2, 4,
     (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, NULL, {1}, (const int32_t[]){2, 0}},
    {"dit", "image_size=8 patch_size=4 channels=1 dim=4 depth=4 heads=1 sprint=1 sprint_drop=0 train_filler=true", 2,
     4, (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, NULL, {0}, NULL},
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=5 heads=2 mlp_ratio=1 sprint=1 sprint_drop=0.5", 2, 4,
     (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, NULL, {2}, (const int32_t[]){0, 3, 1, 2}},
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=5 heads=1 classes=2 sprint=2 sprint_drop=0 "
     "path_drop=0",
     1, 4, (const int32_t[]){0, 1, 2, 3}, (const int32_t[]){1}, {0}, NULL},
    {"jit",
     "image_size=8 patch_size=4 channels=1 dim=4 depth=4 heads=1 bottleneck=3 classes=1 in_context_len=2 "
     "in_context_start=2 sprint=1 sprint_subset=random sprint_drop=0.5",
     2, 3, (const int32_t[]){0, 1, 3, 1, 2, 3}, (const int32_t[]){0, -1}, {1}, (const int32_t[]){2, 0}},
    {"sit", "image_size=8 patch_size=4 channels=2 dim=8 encoder_depth=1 middle_depth=1 decoder_depth=1 heads=2", 2, 4,
     (const int32_t[]){0, 1, 2, 3, 0, 1, 2, 3}, NULL, {1}, (const int32_t[]){3, 1}},
    {"sit",
     "image_size=4x8 patch_size=2 channels=1 dim=8 encoder_depth=0 middle_depth=2 decoder_depth=1 heads=1 classes=2 "
     "norm=rmsnorm qk_norm=false mlp=swiglu adaln=lora adaln_lora_dim=3 qkv_bias=false ffn_bias=false "
     "adaln_bias=false sprint_drop=0.5 train_filler=true",
     2, 8, (const int32_t[]){0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7}, (const int32_t[]){-1, 1}, {4},
     (const int32_t[]){0, 3, 5, 6, 1, 2, 4, 7}},
    {"sit",
     "image_size=8 patch_size=4 channels=1 dim=8 encoder_depth=1 middle_depth=1 decoder_depth=0 heads=1 mlp_ratio=2 "
     "mlp=swiglu_large adaln=swiglu learn_sigma=true path_drop=0 sprint_drop=0.25",
     1, 4, (const int32_t[]){0, 1, 2, 3}, NULL, {3}, (const int32_t[]){0, 2, 3}},
    {"unet", UNET "down_block_types=DownBlock2D,AttnDownBlock2D up_block_types=AttnUpBlock2D,UpBlock2D "
     "attention_head_dim=2 classes=3", 2, 8, (const int32_t[]){0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7},
     (const int32_t[]){2, -1}, {0}, NULL},
    {"unet", UNET "down_block_types=ResnetDownsampleBlock2D up_block_types=ResnetUpsampleBlock2D "
     "resnet_time_scale_shift=scale_shift attention_head_dim=0 flip_sin_to_cos=false freq_shift=1 learn_sigma=true",
     1, 8, (const int32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, NULL, {0}, NULL},
    {"unet", UNET "down_block_types=AttnDownBlock2D up_block_types=AttnUpBlock2D downsample_type=resnet "
     "upsample_type=resnet attn_norm_num_groups=2 downsample_padding=0 attention_head_dim=0 mask_channel=true "
     "time_embedding_dim=6", 2, 3, (const int32_t[]){1, 2, 6, 0, 3, 7}, NULL, {0}, NULL},
    {"unet", UNET "add_attention=false downsample_padding=0 mask_channel=true", 1, 8,
     (const int32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, NULL, {0}, NULL},
};

static const double times[] = {0, 17, 940.5};
static const int32_t dropped[] = {0, 1, 0}; /* where nothing comes from a sprint's deep blocks */

static void record(struct mdm_graph *g, struct mdm_ports *ports, int i)
{
    struct mdm_extent extent = {.batch = networks[i].batch, .visible = networks[i].visible};
    const struct mdm_network *network = mdm_network_find(networks[i].name);
    struct mdm_geometry geometry;
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, network->kind), 0);
    ck_assert_msg(mdm_options_parse(o, networks[i].options) == 0, "%s", mdm_error_text());
    ck_assert_msg(network->geometry(&geometry, o) == 0, "%s", mdm_error_text());
    for (int64_t k = 0; k < extent.visible && geometry.kinds > 1; k++)
        extent.second += networks[i].index[k] >= geometry.kind[0].patches;
    ck_assert_int_eq(mdm_network_train(network, o, &extent), 0);
    ck_assert_mem_eq(extent.routed, networks[i].routed, sizeof extent.routed);
    *ports = MDM_NO_PORTS;
    network->record(g, ports, o, extent);
    mdm_options_release(&o);
    ck_assert_msg(g->failure.code == 0, "%s", g->failure.text);
}

START_TEST(gradients_match_differences)
{
    struct mdm_ports ports;
    struct rig r;
    int64_t batch = networks[_i].batch;

    rig_open(&r, 5 + (uint64_t)_i);
    record(&r.g, &ports, _i);
    mdm_graph_want_gradient(&r.g, ports.image);
    memcpy(rig_host(&r, ports.time), times, (size_t)batch * sizeof *times);
    memcpy(rig_host(&r, ports.index), networks[_i].index, (size_t)(batch * networks[_i].visible) * sizeof(int32_t));
    if (ports.label != MDM_NONE)
        memcpy(rig_host(&r, ports.label), networks[_i].label, (size_t)batch * sizeof(int32_t));
    for (int64_t k = 0, at = 0; k < MDM_MOST_ROUTES; at += batch * networks[_i].routed[k++])
        if (ports.keep[k] != MDM_NONE)
            memcpy(rig_host(&r, ports.keep[k]), networks[_i].keep + at, rig_bytes(&r, ports.keep[k]));
    if (ports.dropped != MDM_NONE)
        memcpy(rig_host(&r, ports.dropped), dropped, (size_t)batch * sizeof(int32_t));
    rig_plan(&r, MDM_PLAN_TRAIN);
    rig_check(&r, networks[_i].options, r.layout.numel < 2000 ? 3 : 13);
    rig_close(&r);
}
END_TEST

static void fill(struct mdm_graph *g, const struct mdm_ports *ports, int i)
{
    int64_t batch = networks[i].batch;
    float *image = mdm_graph_data(g, ports->image);

    for (size_t k = 0; k < g->val[ports->image].numel; k++)
        image[k] = (float)sin(0.37 * (double)k);
    memcpy(mdm_graph_data(g, ports->time), times, (size_t)batch * sizeof *times);
    memcpy(mdm_graph_data(g, ports->index), networks[i].index,
           (size_t)(batch * networks[i].visible) * sizeof(int32_t));
    if (ports->label != MDM_NONE)
        memcpy(mdm_graph_data(g, ports->label), networks[i].label, (size_t)batch * sizeof(int32_t));
    for (int64_t k = 0, at = 0; k < MDM_MOST_ROUTES; at += batch * networks[i].routed[k++])
        if (ports->keep[k] != MDM_NONE)
            memcpy(mdm_graph_data(g, ports->keep[k]), networks[i].keep + at,
                   (size_t)(batch * networks[i].routed[k]) * sizeof(int32_t));
    if (ports->dropped != MDM_NONE)
        memcpy(mdm_graph_data(g, ports->dropped), dropped, (size_t)batch * sizeof(int32_t));
}

/* One step in float on `workers` threads; the result, output behind parameter gradients, is the caller's to free. */
static float *step(int i, int flags, int workers, size_t *count)
{
    const struct mdm_device_settings settings = {.workers = workers, .guard = 1, .instruction_set = "auto"};
    struct mdm_backend *backend;
    struct mdm_params layout = {0};
    struct mdm_graph g;
    struct mdm_ports ports;
    float *weights, *result, *dy;
    void *arena;
    size_t outputs;

    ck_assert_int_eq(mdm_cpu_open(&backend, &settings), 0);
    mdm_graph_init(&g, backend, &layout, MDM_F32);
    record(&g, &ports, i);
    ck_assert_msg(mdm_graph_plan(&g, flags) == 0, "%s", mdm_error_text());
    outputs = g.val[ports.output].numel;
    *count = layout.length + outputs;
    weights = calloc(layout.length, sizeof *weights);
    result = calloc(*count, sizeof *result);
    arena = aligned_alloc(64, g.arena_bytes);
    mdm_params_init(&layout, weights, 3);
    for (size_t k = 0; k < layout.length; k++) /* what starts as zeros would hide the rest */
        weights[k] += 0.1f * (float)sin(1.3 * (double)k);
    mdm_graph_bind(&g, arena);
    for (int turn = 0; turn < 2; turn++) {
        memset(arena, 0xff, g.arena_bytes);
        memset(result, 0, *count * sizeof *result);
        fill(&g, &ports, i);
        ck_assert_msg(mdm_graph_forward(&g, weights, NULL) == 0, "%s", mdm_error_text());
        dy = mdm_graph_gradient(&g, ports.output);
        for (size_t k = 0; dy && k < outputs; k++)
            dy[k] = (float)cos((double)k);
        if (flags & MDM_PLAN_TRAIN)
            ck_assert_msg(mdm_graph_backward(&g, weights, result, NULL) == 0, "%s", mdm_error_text());
        memcpy(result + layout.length, mdm_graph_data(&g, ports.output), outputs * sizeof *result);
    }
    mdm_graph_free(&g);
    mdm_params_free(&layout);
    backend->v->close(backend);
    free(weights);
    free(arena);
    return result;
}

START_TEST(sharing_changes_no_bit)
{
    static const int flags[] = {0, MDM_PLAN_TRAIN};
    float *train[2], *shared, *apart;
    size_t count;

    for (size_t f = 0; f < MDM_LENGTH(flags); f++) {
        apart = step(_i, flags[f] | MDM_PLAN_UNSHARED, 1, &count);
        for (int workers = 1; workers <= 3; workers += 2) {
            shared = step(_i, flags[f], workers, &count);
            for (size_t k = 0; k < count; k++)
                ck_assert_msg(isfinite(shared[k]), "element %zu is not finite", k);
            ck_assert_msg(memcmp(shared, apart, count * sizeof *apart) == 0, "%s, %d workers", networks[_i].options,
                          workers);
            free(shared);
        }
        train[f] = apart;
    }
    /* What forward alone computes is what a training step computes. */
    for (size_t k = count; k-- > 0 && train[0][k] != 0;)
        ck_assert_float_eq(train[0][k], train[1][k]);
    free(train[0]);
    free(train[1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gradients");
    TCase *t = tcase_create("networks");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, gradients_match_differences, 0, (int)MDM_LENGTH(networks));
    tcase_add_loop_test(t, sharing_changes_no_bit, 0, (int)MDM_LENGTH(networks));
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
