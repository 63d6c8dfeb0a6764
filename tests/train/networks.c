/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks other than the first, and the first with routing, through the public interface: they train masked and
 * whole, resume to the byte on any number of threads, leave what is frozen alone, and give models that predict and
 * sample.
 */
#include "tiny.h"

static const char dit[] = "image_size=8 patch_size=2 dim=16 depth=2 heads=2 mlp_ratio=2 classes=5";
static const char dit_sigma[] = "image_size=8 patch_size=4 dim=16 depth=1 heads=2 classes=5 learn_sigma=true";

static const char jit[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5 bottleneck=6 "
                          "in_context_len=2";
static const char jit_plain[] = "image_size=8 patch_size=4 dim=32 depth=2 heads=1 classes=5 bottleneck=12 "
                                "in_context_len=0";

static const char dit_routed[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5 "
                                 "route_ratio=0.5 route_from=1 route_behind=1";
static const char dit_routes[] = "image_size=8 patch_size=2 dim=16 depth=4 heads=2 mlp_ratio=2 classes=5 "
                                 "routes=0-1:0.5,3-3:0.25";
static const char jit_routed[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5 "
                                 "bottleneck=6 in_context_len=2 route_ratio=0.5 route_from=0 route_behind=0";

static const char dit_sprint[] = "image_size=8 patch_size=2 dim=16 depth=4 heads=2 mlp_ratio=2 classes=5 sprint=1";
static const char jit_sprint[] = "image_size=8 patch_size=2 dim=16 depth=4 heads=2 mlp_ratio=2 classes=5 "
                                 "bottleneck=6 in_context_len=2 sprint=1 sprint_subset=random sprint_drop=0.5 "
                                 "path_drop=0.5";
static const char sit[] = "image_size=8 patch_size=2 dim=16 encoder_depth=1 middle_depth=2 decoder_depth=1 heads=2 "
                          "mlp_ratio=2 classes=5 norm=rmsnorm mlp=swiglu path_drop=0.3";

#define UVIT "image_size=8 patch_size=2 dim=16 depth=5 heads=2 mlp_ratio=2 classes=5"
static const char whole[] = UVIT, routed[] = UVIT " route_ratio=0.5 route_from=1";
static const char uvit_sprint[] = UVIT " sprint=1 path_drop=0.3";
static const char original[] = UVIT " form=original conv=true";
static const char wavelet[] = "form=wavelet image_size=8 patch_size=1 dim=16 depth=5 heads=2 mlp_ratio=2 classes=5";
static const char wavelet_scaled[] = "form=wavelet detail_scale=2 image_size=8 patch_size=1 dim=16 depth=3 heads=2 "
                                     "qkv_bias=true time_mlp=true classes=5 route_ratio=0.5 route_from=0";

#define UNET "image_size=8 patch_size=2 block_out_channels=8,16 layers_per_block=1 norm_num_groups=4 classes=5 "
static const char unet[] = UNET "down_block_types=AttnDownBlock2D attention_head_dim=4";
static const char unet_masked[] = UNET "mask_channel=true up_block_types=ResnetUpsampleBlock2D";

static const struct {
    const char *kind, *network, *mask, *frozen;
} cases[] = {
    {"uvit", routed, "type=none", NULL},
    {"uvit", routed, NULL, NULL},
    {"dit", dit, NULL, "pos_embed"},
    {"dit", dit, "type=none", "pos_embed"},
    {"dit", dit_sigma, "type=patch ratio=0.25", "pos_embed"},
    {"uvit", original, NULL, NULL},
    {"uvit", original, "type=none", NULL},
    {"uvit", wavelet, NULL, NULL},
    {"uvit", wavelet, "type=none", NULL},
    {"uvit", wavelet_scaled, "type=patch ratio=0.5 detail_ratio=0.25", NULL},
    {"jit", jit, NULL, "pos_embed"},
    {"jit", jit, "type=none", "pos_embed"},
    {"jit", jit_plain, "type=patch ratio=0.25", "pos_embed"},
    {"dit", dit_routed, "type=none", "pos_embed"},
    {"dit", dit_routes, NULL, "pos_embed"},
    {"jit", jit_routed, NULL, "pos_embed"},
    {"dit", dit_sprint, "type=none", "mask_token"},
    {"jit", jit_sprint, NULL, "mask_token"},
    {"uvit", uvit_sprint, "type=none", "mask_token"},
    {"sit", sit, "type=none", "mask_token"},
    {"unet", unet, "type=none", "mid_block.attentions.0.to_k.bias"},
    {"unet", unet_masked, NULL, "mid_block.attentions.0.to_k.bias"},
    {"uvit", routed, "type=partition", NULL},
    {"unet", unet_masked, "type=partition cell_size=2", "mid_block.attentions.0.to_k.bias"},
    {"jit", jit_routed, "type=patch ratio=0.75 ratio_end=0 ratio_steps=6 ratio_levels=3", "pos_embed"},
    {"unet", unet_masked, "type=block ratio=0.5 ratio_end=0 ratio_steps=4 ratio_levels=2",
     "mid_block.attentions.0.to_k.bias"},
};

static void open_case(struct tiny *t, int i, const char *device)
{
    tiny_open_network(t, tiny_device(device), cases[i].kind, cases[i].network, cases[i].mask,
                      "lr=2e-2 weight_decay=0.1", NULL, "batch_size=8 accumulate=2 seed=3 label_dropout=0.2");
}

static float *read_parameter(struct tiny *t, const char *name, enum maskdm_weights which, int64_t *count)
{
    maskdm_model *model;
    int64_t shape[4], i;
    float *values;

    OK(maskdm_trainer_model(&model, t->trainer));
    i = maskdm_model_parameter_find(model, name);
    ck_assert_int_ge(i, 0);
    *count = 1;
    for (int d = maskdm_model_parameter_shape(model, i, shape, 4); d-- > 0;)
        *count *= shape[d];
    values = malloc((size_t)*count * sizeof *values);
    OK(maskdm_model_get_parameter(model, which, i, values, *count));
    maskdm_model_release(&model);
    return values;
}

/* The loss falls, everything moves but what is frozen, and that has no gradient either. */
START_TEST(trains)
{
    struct tiny t;
    float *start, *end, *fixed = NULL, *still;
    double first = 0, last = 0;
    int64_t count;
    size_t n;

    open_case(&t, _i, "threads=2");
    n = tiny_bytes(&t) / sizeof(float);
    start = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    if (cases[_i].frozen)
        fixed = read_parameter(&t, cases[_i].frozen, MASKDM_WEIGHTS_ONLINE, &count);
    for (int step = 0; step < 40; step++) {
        tiny_step(&t, 1);
        first += step < 5 ? maskdm_trainer_last_loss(t.trainer) : 0;
        last += step >= 35 ? maskdm_trainer_last_loss(t.trainer) : 0;
    }
    ck_assert_msg(last < 0.9 * first, "the loss went from %g to %g", first / 5, last / 5);
    end = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    ck_assert(tiny_distance(end, start, n) > 0.01);
    for (int which = MASKDM_WEIGHTS_EMA; fixed && which <= MASKDM_WEIGHTS_ONLINE; which++) {
        still = read_parameter(&t, cases[_i].frozen, which, &count);
        ck_assert_mem_eq(still, fixed, (size_t)count * sizeof *fixed);
        free(still);
    }
    free(start);
    free(end);
    free(fixed);
    tiny_close(&t);
}
END_TEST

START_TEST(resumes_to_the_byte_on_any_threads)
{
    char state[300], single[300], parts[300];
    const char *folder = tiny_folder();
    struct tiny t;

    snprintf(state, sizeof state, "%s/state", folder);
    snprintf(single, sizeof single, "%s/single", folder);
    snprintf(parts, sizeof parts, "%s/parts", folder);
    open_case(&t, _i, "threads=1");
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, state));
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, single));
    tiny_close(&t);
    open_case(&t, _i, "threads=3");
    OK(maskdm_trainer_load(t.trainer, state));
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, parts));
    tiny_close(&t);
    ck_assert(tiny_same_files(single, parts));
    remove(state);
    remove(single);
    remove(parts);
    rmdir(folder);
}
END_TEST

/* A saved model predicts what the trainer's does, the same for an image alone and in a batch, and is sampled. */
START_TEST(models_predict_and_sample)
{
    static const double times[3] = {5, 400, 999};
    static const int32_t labels[3] = {4, -1, 0};
    const char *folder = tiny_folder();
    char path[300];
    struct tiny t;
    maskdm_model *model, *loaded;
    maskdm_sampler *sampler;
    maskdm_options *o;
    float *got[2], single[VALUES * 2], images[2 * VALUES];
    size_t n;

    open_case(&t, _i, "threads=1");
    tiny_step(&t, 4);
    OK(maskdm_trainer_model(&model, t.trainer));
    snprintf(path, sizeof path, "%s/model", folder);
    OK(maskdm_model_save(model, path));
    OK(maskdm_model_load(&loaded, t.device, path));
    ck_assert_str_eq(maskdm_model_network(loaded), cases[_i].kind);
    n = (size_t)(SIDE * SIDE * maskdm_model_outputs(loaded));
    for (int k = 0; k < 2; k++) {
        got[k] = malloc(3 * n * sizeof(float));
        OK(maskdm_model_predict(k ? loaded : model, MASKDM_WEIGHTS_EMA, 3, tiny_images[0], times, labels, NULL, 0,
                                got[k]));
    }
    ck_assert_mem_eq(got[0], got[1], 3 * n * sizeof(float));
    OK(maskdm_model_predict(loaded, MASKDM_WEIGHTS_EMA, 1, tiny_images[1], times + 1, labels + 1, NULL, 0, single));
    ck_assert_mem_eq(single, got[0] + n, n * sizeof(float));
    ck_assert(tiny_distance(got[0], got[0] + n, n) > 0);

    o = tiny_options("sampler", "sampler=ddim steps=4 seed=5 guidance=2");
    OK(maskdm_sampler_create(&sampler, loaded, MASKDM_WEIGHTS_EMA, o, NULL));
    OK(maskdm_sampler_run(sampler, 2, NULL, labels, MASKDM_SAMPLE_FLOAT, images, 0, 0));
    for (int k = 0; k < 2 * VALUES; k++)
        ck_assert(isfinite(images[k]));
    maskdm_options_release(&o);
    maskdm_sampler_release(&sampler);
    maskdm_model_release(&loaded);
    maskdm_model_release(&model);
    free(got[0]);
    free(got[1]);
    tiny_close(&t);
    remove(path);
    rmdir(folder);
}
END_TEST

/* What a step predicts of a batch of the test's own. */
static float *predict_in_training(struct tiny *t, size_t *count)
{
    static float images[4 * VALUES], noise[4 * VALUES];
    static const double times[4] = {100, 400, 700, 900};
    const float *view;
    float *got;
    int64_t n;

    for (int k = 0; k < 4 * VALUES; k++) {
        images[k] = (float)sin(0.01 * k);
        noise[k] = (float)cos(0.7 * k);
    }
    OK(maskdm_trainer_set_batch(t->trainer, images, tiny_labels, times, noise, NULL));
    OK(maskdm_trainer_forward(t->trainer));
    view = maskdm_trainer_view(t->trainer, "prediction", &n);
    ck_assert_ptr_nonnull(view);
    *count = (size_t)n;
    got = malloc(*count * sizeof *got);
    memcpy(got, view, *count * sizeof *got);
    return got;
}

/* The same weights predict otherwise in a step, drawn by the step alone; whole images of a check or a sampler are
 * never routed, and only a trainer's memory falls. */
START_TEST(routing_is_for_training_alone)
{
    static const char *const network[] = {whole, routed, routed};
    static const char *const device[] = {"threads=1", "threads=1", "threads=3"};
    float *in_step[3], *later;
    double loss[3];
    size_t count, bytes[2][2];
    struct tiny t;

    for (int k = 0; k < 3; k++) {
        tiny_open_network(&t, tiny_device(device[k]), "uvit", network[k], "type=none", NULL, NULL,
                          "batch_size=4 seed=3");
        in_step[k] = predict_in_training(&t, &count);
        OK(maskdm_trainer_validate(t.trainer, t.data, 8, MASKDM_WEIGHTS_ONLINE, &loss[k], NULL, 0));
        if (k == 2) {
            later = predict_in_training(&t, &count);
            ck_assert_mem_eq(later, in_step[k], count * sizeof *later);
            free(later);
            tiny_step(&t, 1);
            later = predict_in_training(&t, &count);
            ck_assert(tiny_distance(later, in_step[k], count) > 0);
            free(later);
        }
        for (int train = 0; train < 2 && k < 2; train++) {
            maskdm_options *o = tiny_options("uvit", network[k]);

            OK(maskdm_model_estimate(&bytes[k][train], t.device, "uvit", o, train, 4, 0));
            maskdm_options_release(&o);
        }
        tiny_close(&t);
    }
    ck_assert(tiny_distance(in_step[0], in_step[1], count) > 1e-3);
    ck_assert_mem_eq(in_step[1], in_step[2], count * sizeof *in_step[1]);
    ck_assert_double_eq(loss[0], loss[1]);
    ck_assert_double_eq(loss[0], loss[2]);
    ck_assert_uint_eq(bytes[0][0], bytes[1][0]);
    ck_assert_uint_gt(bytes[0][1], bytes[1][1]);
    for (int k = 0; k < 3; k++)
        free(in_step[k]);
}
END_TEST

/* A route by which no token passes, or over no block, is none: the plain network's bits. */
START_TEST(routing_of_nothing_changes_no_bit)
{
    static const char *const ways[][2] = {{"uvit", " route_ratio=0.05 route_from=1"},
                                          {"dit", " route_ratio=0.05 route_from=1 route_behind=1"},
                                          {"dit", " routes=0-1:0,2-2:0.05"},
                                          {"dit", " route_ratio=0.5 route_from=2 route_behind=3"},
                                          {"dit", " routes=2-1:0.5"},
                                          {"jit", " route_ratio=0.05 route_from=1 route_behind=1"},
                                          {"jit", " routes=1-0:0.5"}};
    char text[2][200];
    float *weights[2];
    struct tiny t;
    size_t n = 0;

    for (int k = 0; k < 2; k++) {
        snprintf(text[k], sizeof text[k], "image_size=8 patch_size=2 dim=16 depth=5 heads=2 mlp_ratio=2 classes=5%s",
                 k ? ways[_i][1] : "");
        tiny_open_network(&t, tiny_device("threads=1"), ways[_i][0], text[k], "type=none", NULL, NULL,
                          "batch_size=4 seed=3");
        tiny_step(&t, 2);
        n = tiny_bytes(&t);
        weights[k] = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
        tiny_close(&t);
    }
    ck_assert_mem_eq(weights[0], weights[1], n);
    free(weights[0]);
    free(weights[1]);
}
END_TEST

/* Squares of patches that a mask has holes in are none. */
START_TEST(a_sprint_needs_squares_or_any)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_options *o = tiny_options("dit", dit_sprint), *hidden = tiny_options("mask", "type=patch ratio=0.5");
    maskdm_model *model;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;

    OK(maskdm_model_create(&model, device, "dit", o, NULL, 1));
    OK(maskdm_mask_create(&mask, hidden));
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    FAILS(MASKDM_EINVAL,
          "sprint_subset grid takes 1 of every 2x2 patches, but of 16 a mask leaves 8; sprint_subset random, or no "
          "mask",
          maskdm_trainer_create(&trainer, model, mask, optimizer, NULL, NULL));
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&mask);
    maskdm_model_release(&model);
    maskdm_options_release(&hidden);
    maskdm_options_release(&o);
    maskdm_device_release(&device);
}
END_TEST

/* Hidden patches are left out, or zeros: another image behind them gives the same bits. */
START_TEST(hidden_patches_count_for_nothing)
{
    static const int32_t index[] = {1, 6, 11};
    static const double time = 300;
    struct tiny t;
    float image[VALUES], got[2][3 * 12];

    tiny_open_network(&t, tiny_device("threads=1"), _i ? "unet" : "dit", _i ? unet_masked : dit, NULL, NULL, NULL,
                      "batch_size=8 seed=3");
    tiny_step(&t, 2);
    memcpy(image, tiny_images[0], sizeof image);
    for (int k = 0; k < 2; k++) {
        maskdm_model *model;

        OK(maskdm_trainer_model(&model, t.trainer));
        OK(maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, 1, image, &time, NULL, index, 3, got[k]));
        maskdm_model_release(&model);
        image[0] = 100; /* of patch 0 */
    }
    ck_assert_mem_eq(got[0], got[1], sizeof got[0]);
    tiny_close(&t);
}
END_TEST

/* A network of one class, the null one, learns its row whatever labels the data have. */
START_TEST(without_classes_only_the_null_one_is_known)
{
    static const char name[] = "y_embedder.embedding_table.weight";
    struct tiny t;
    float *start, *end;
    int64_t count;

    tiny_open_network(&t, tiny_device("threads=1"), "jit",
                      "image_size=8 patch_size=4 dim=16 depth=1 heads=1 bottleneck=8 in_context_len=1", NULL, NULL,
                      NULL, "batch_size=8 seed=3");
    start = read_parameter(&t, name, MASKDM_WEIGHTS_ONLINE, &count);
    ck_assert_int_eq(count, 16);
    tiny_step(&t, 4);
    end = read_parameter(&t, name, MASKDM_WEIGHTS_ONLINE, &count);
    ck_assert(tiny_distance(end, start, (size_t)count) > 1e-3);
    free(start);
    free(end);
    tiny_close(&t);
}
END_TEST

/* What a network's options may not be, and what belongs to another network. */
START_TEST(options_are_refused)
{
    static const struct {
        const char *kind, *options, *says;
    } bad[] = {
        {"dit", "dim=18 heads=2", "no multiple of 4"},
        {"dit", "dim=20 heads=3", "heads 3 does not divide dim 20"},
        {"dit", "image_size=9 patch_size=2", "does not divide"},
        {"dit", "dim=8 heads=2 mlp_ratio=0.125 depth=255", NULL},
        {"dit", "dim=24 depth=4 route_ratio=0.5",
         "route_from 2 leaves no block to route among 4, of which 3 stand behind"},
        {"dit", "dim=24 depth=5 route_ratio=0.5", NULL}, /* a route over no block */
        {"dit", "dim=24 depth=4", NULL},
        {"dit", "dim=24 depth=4 routes=1-2", "routes 1-2 is no list of FIRST-LAST:RATIO, as in 2-5:0.5,7-9:0.25"},
        {"dit", "dim=24 depth=4 routes=1-2:0.5,x", "routes 1-2:0.5,x is no list"},
        {"dit", "dim=24 depth=4 routes=1-2:1", "routes 1-2:1: 1 is no share from 0 to below 1"},
        {"dit", "dim=24 depth=4 routes=1-4:0.5", "routes 1-4:0.5: blocks 1 to 4 are not among blocks 0 to 3"},
        {"dit", "dim=24 depth=4 routes=0-2:0.5,2-3:0.5", "blocks 2 to 3 are not among blocks 3 to 3"},
        {"dit", "dim=24 depth=4 routes=2-0:0.5", "blocks 2 to 0 are not among blocks 0 to 3"},
        {"dit", "dim=24 depth=8 routes=0-0:0.5,1-1:0.5,2-2:0.5,3-3:0.5,4-4:0.5", "is more than 4 routes"},
        {"dit", "dim=24 depth=8 routes=2-3:0.5 route_ratio=0.5",
         "route_ratio 0.5 and routes 2-3:0.5 both say what is routed; one of them"},
        {"dit", "dim=24 depth=4 sprint=2", "sprint 2 before and behind leave no deep block of 4"},
        {"uvit", "dim=24 depth=5 sprint=1 route_ratio=0.5 route_from=1",
         "sprint and route_ratio are two ways past blocks; one of them"},
        {"dit", "dim=24 depth=5 sprint=1 routes=2-2:0.5", "sprint and routes are two ways past blocks; one of them"},
        {"dit", "dim=24 depth=5 sprint=1 sprint_drop=1", "sprint_drop 1 is not below 1"},
        {"dit", "dim=24 depth=5 sprint=1 sprint_drop=0.7",
         "sprint_drop 0.7 leaves no whole number of every 4x4 patches"},
        {"dit", "dim=24 depth=5 sprint=1 sprint_drop=0.7 sprint_subset=random", NULL},
        {"dit", "dim=24 depth=5 sprint=1 image_size=12x20",
         "sprint_drop 0.75 takes 1 of every 2x2 patches, and 3x5 are no such squares; sprint_subset random"},
        {"dit", "dim=24 depth=5 sprint=1 image_size=24 sprint_drop=0.875",
         "sprint_drop 0.875 takes 2 of every 4x4 patches, and 6x6 are no such squares"},
        {"dit", "dim=24 depth=5 sprint=1 image_size=12x20 sprint_drop=0", NULL},
        {"sit", "dim=24 heads=4", "heads 4 makes heads of 6, no multiple of 4"},
        {"sit", "dim=24 heads=6 encoder_depth=0 decoder_depth=0", NULL},
        {"jit", "dim=24 depth=2 heads=6 route_ratio=1", "route_ratio 1 is not below 1"},
        {"jit", "dim=24 heads=4", "heads 4 makes heads of 6, no multiple of 4"},
        {"jit", "dim=8 heads=2 mlp_ratio=0.125", "no hidden layer"},
        {"jit", "dim=8 heads=2 depth=3 in_context_start=3", "in_context_start 3 leaves none of the 3 blocks"},
        {"jit", "dim=8 heads=2 depth=3 in_context_start=3 in_context_len=0", NULL},
    };
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *model;
    maskdm_options *o;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = tiny_options(bad[i].kind, bad[i].options);
        if (bad[i].says)
            FAILS(MASKDM_EINVAL, bad[i].says, maskdm_model_create(&model, device, bad[i].kind, o, NULL, 1));
        else
            OK(maskdm_model_create(&model, device, bad[i].kind, o, NULL, 1));
        maskdm_model_release(&model);
        maskdm_options_release(&o);
    }
    o = tiny_options("uvit", "dim=16 heads=2");
    FAILS(MASKDM_EINVAL, "uvit", maskdm_model_create(&model, device, "dit", o, NULL, 1));
    FAILS(MASKDM_ENOTFOUND, "\"uvit\", \"sit\", \"dit\"", maskdm_model_create(&model, device, "vit", o, NULL, 1));
    maskdm_options_release(&o);
    OK(maskdm_options_create(&o, "pretrain"));
    OK(maskdm_options_set(o, "network", "dit"));
    FAILS(MASKDM_EINVAL, "qkv_bias", maskdm_options_parse(o, "qkv_bias=true data=x out=y") < 0
                                         ? MASKDM_EINVAL
                                         : maskdm_options_check(o));
    maskdm_options_release(&o);
    maskdm_device_release(&device);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("networks");
    TCase *t = tcase_create("networks");
    const int count = (int)(sizeof cases / sizeof *cases);

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, trains, 0, count);
    tcase_add_loop_test(t, resumes_to_the_byte_on_any_threads, 0, count);
    tcase_add_loop_test(t, models_predict_and_sample, 0, count);
    tcase_add_test(t, routing_is_for_training_alone);
    tcase_add_loop_test(t, routing_of_nothing_changes_no_bit, 0, 7);
    tcase_add_test(t, a_sprint_needs_squares_or_any);
    tcase_add_loop_test(t, hidden_patches_count_for_nothing, 0, 2);
    tcase_add_test(t, without_classes_only_the_null_one_is_known);
    tcase_add_test(t, options_are_refused);
    suite_add_tcase(s, t);
    return tiny_main(s);
}
