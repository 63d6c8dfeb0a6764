/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "network": what a network makes of given images, and every gradient of sum(output * cotangent), as the program
 * of its authors has them. The gradients come from a trainer that is told them for the prediction.
 */
#include "architecture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options of the library's network from the program's own arguments; 0, or -1 with c->skipped saying why not. */
int architecture_dit(struct reference_case *c, char *text, size_t size)
{
    const int learns = !strcmp(case_value(c, "network", "learn_sigma", "true"), "true");

    if (case_number(c, "network", "class_dropout_prob", 0.1) <= 0) {
        snprintf(c->skipped, sizeof c->skipped, "a DiT without a null class is not built");
        return -1;
    }
    snprintf(text, size,
             "image_size=%.0f patch_size=%.0f channels=%.0f dim=%.0f depth=%.0f heads=%.0f mlp_ratio=%.17g "
             "classes=%.0f learn_sigma=%s",
             case_number(c, "network", "input_size", 32), case_number(c, "network", "patch_size", 2),
             case_number(c, "network", "in_channels", 4), case_number(c, "network", "hidden_size", 1152),
             case_number(c, "network", "depth", 28), case_number(c, "network", "num_heads", 16),
             case_number(c, "network", "mlp_ratio", 4), case_number(c, "network", "num_classes", 1000),
             learns ? "true" : "false");
    return 0;
}

/* true or false, as an argument has it. */
static const char *is_set(struct reference_case *c, const char *key, const char *absent)
{
    return !strcmp(case_value(c, "network", key, absent), "true") ? "true" : "false";
}

static int describe_uvit(struct reference_case *c, char *text, size_t size)
{
    const double classes = case_number(c, "network", "num_classes", -1);

    if (!strcmp(is_set(c, "skip", "true"), "false") || case_number(c, "network", "qk_scale", 0) != 0) {
        snprintf(c->skipped, sizeof c->skipped, "a U-ViT without long skips or with a qk_scale is not built");
        return -1;
    }
    snprintf(text, size,
             "form=original image_size=%.0f patch_size=%.0f channels=%.0f dim=%.0f depth=%.0f heads=%.0f "
             "mlp_ratio=%.17g classes=%.0f qkv_bias=%s time_mlp=%s conv=%s",
             case_number(c, "network", "img_size", 224), case_number(c, "network", "patch_size", 16),
             case_number(c, "network", "in_chans", 3), case_number(c, "network", "embed_dim", 768),
             case_number(c, "network", "depth", 12), case_number(c, "network", "num_heads", 12),
             case_number(c, "network", "mlp_ratio", 4), classes > 0 ? classes : 0, is_set(c, "qkv_bias", "false"),
             is_set(c, "mlp_time_embed", "false"), is_set(c, "conv", "true"));
    return 0;
}

static int describe_jit(struct reference_case *c, char *text, size_t size)
{
    if (case_number(c, "network", "attn_drop", 0) > 0 || case_number(c, "network", "proj_drop", 0) > 0) {
        snprintf(c->skipped, sizeof c->skipped, "dropout is not built");
        return -1;
    }
    snprintf(text, size,
             "image_size=%.0f patch_size=%.0f channels=%.0f dim=%.0f depth=%.0f heads=%.0f mlp_ratio=%.17g "
             "classes=%.0f bottleneck=%.0f in_context_len=%.0f in_context_start=%.0f",
             case_number(c, "network", "input_size", 256), case_number(c, "network", "patch_size", 16),
             case_number(c, "network", "in_channels", 3), case_number(c, "network", "hidden_size", 1024),
             case_number(c, "network", "depth", 24), case_number(c, "network", "num_heads", 16),
             case_number(c, "network", "mlp_ratio", 4), case_number(c, "network", "num_classes", 1000),
             case_number(c, "network", "bottleneck_dim", 128), case_number(c, "network", "in_context_len", 32),
             case_number(c, "network", "in_context_start", 8));
    return 0;
}

/* " OPTION=value" behind what stands there; null is 0, and lists have no spaces. */
static void add_setting(char *text, size_t size, const char *option, const char *value)
{
    const size_t n = strlen(text);
    char *to;

    snprintf(text + n, size - n, " %s=%s", option, strcmp(value, "null") ? value : "0");
    to = text + n + 1;
    for (const char *from = to; *from; from++)
        if (*from != ' ')
            *to++ = *from;
    *to = '\0';
}

/* What UNet2DModel has and the library's network does not: 0, or -1 with c->skipped. */
static int check_unet(struct reference_case *c)
{
    static const struct {
        const char *key, *built, *also;
    } fixed[] = {{"act_fn", "silu", "swish"},
                 {"center_input_sample", "false", "false"},
                 {"time_embedding_type", "positional", "positional"},
                 {"mid_block_type", "UNetMidBlock2D", "UNetMidBlock2D"},
                 {"class_embed_type", "null", "null"}};
    const double in = case_number(c, "network", "in_channels", 3), out = case_number(c, "network", "out_channels", 3);

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const char *value = case_value(c, "network", fixed[i].key, fixed[i].built);

        if (strcmp(value, fixed[i].built) && strcmp(value, fixed[i].also)) {
            snprintf(c->skipped, sizeof c->skipped, "a UNet2DModel of %s %s is not built", fixed[i].key, value);
            return -1;
        }
    }
    if (case_number(c, "network", "mid_block_scale_factor", 1) != 1 || (out != in && out != 2 * in)) {
        snprintf(c->skipped, sizeof c->skipped,
                 "a UNet2DModel of mid_block_scale_factor, or with %g channels out of %g, is not built", out, in);
        return -1;
    }
    return 0;
}

/* UNet2DModel by its own names; the sides are the input's, since the network is not bound to any. */
static int describe_unet(struct reference_case *c, char *text, size_t size)
{
    static const struct {
        const char *key, *absent; /* "": as here */
    } settings[] = {
        {"block_out_channels", "224,448,672,896"},
        {"down_block_types", "DownBlock2D,AttnDownBlock2D,AttnDownBlock2D,AttnDownBlock2D"},
        {"up_block_types", "AttnUpBlock2D,AttnUpBlock2D,AttnUpBlock2D,UpBlock2D"},
        {"layers_per_block", ""},
        {"downsample_type", ""},
        {"upsample_type", ""},
        {"downsample_padding", ""},
        {"attention_head_dim", ""},
        {"add_attention", ""},
        {"norm_num_groups", ""},
        {"attn_norm_num_groups", ""},
        {"norm_eps", ""},
        {"freq_shift", ""},
        {"resnet_time_scale_shift", ""},
        {"flip_sin_to_cos", ""},
        {"time_embedding_dim", ""},
    };
    const int64_t height = case_dim(c, "input.x", HEIGHT), width = case_dim(c, "input.x", WIDTH);
    const double in = case_number(c, "network", "in_channels", 3), out = case_number(c, "network", "out_channels", 3);

    if (check_unet(c))
        return -1;
    snprintf(text, size, "image_size=%lldx%lld patch_size=%d channels=%.0f classes=%.0f learn_sigma=%s",
             (long long)height, (long long)width, height % 4 || width % 4 ? 1 : 4, in,
             case_number(c, "network", "num_class_embeds", 0), out > in ? "true" : "false");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const char *value = case_value(c, "network", settings[i].key, settings[i].absent);

        if (*value)
            add_setting(text, size, settings[i].key, value);
    }
    return 0;
}

static const struct {
    const char *name, *kind; /* the program's word for it, and ours */
    architecture_describe describe;
} architectures[] = {{"dit", "dit", architecture_dit},
                     {"uvit", "uvit", describe_uvit},
                     {"jit", "jit", describe_jit},
                     {"unet2d", "unet", describe_unet}};

static maskdm_model *make_model(struct reference_case *c, const char *network, architecture_describe describe)
{
    char text[2048];
    maskdm_options *o = NULL;
    maskdm_model *model = NULL;

    if (describe(c, text, sizeof text))
        return NULL;
    if (!case_ok(c, maskdm_options_create(&o, network), network) &&
        !case_ok(c, maskdm_options_parse(o, text), text) &&
        !case_ok(c, maskdm_model_create(&model, c->device, network, o, NULL, 1), text) && case_weights(c, model))
        maskdm_model_release(&model);
    maskdm_options_release(&o);
    return model;
}

/* Values of a [B,C,H,W] tensor, whose channels are rows of its own, in the order of patches; or back. */
static void turn(double *image, float *patches, int64_t images, int64_t channels, int64_t height, int64_t width,
                 int64_t p, int back)
{
    for (int64_t b = 0; b < images; b++)
        for (int64_t ch = 0; ch < channels; ch++)
            for (int64_t y = 0; y < height; y++)
                for (int64_t x = 0; x < width; x++) {
                    int64_t patch = (b * (height / p) + y / p) * (width / p) + x / p;
                    float *value = patches + ((patch * p + y % p) * p + x % p) * channels + ch;
                    double *pixel = image + ((b * channels + ch) * height + y) * width + x;

                    if (back)
                        *pixel = (double)*value;
                    else
                        *value = (float)*pixel;
                }
}

/* The signal that the default process leaves at `time`, ln signal being linear between whole times. */
static double signal_at(const double *abar, double time)
{
    const double low = floor(time), part = time - low;
    const double *at = abar + (int64_t)low;

    return sqrt(at[0]) * (part > 0 ? pow(at[1] / at[0], part / 2) : 1);
}

/* A trainer whose x_t is the case's x: the image that gives it, and no noise. */
static int set_batch(struct reference_case *c, struct architecture *s)
{
    enum { T = 1000 };
    const int64_t n = s->height * s->width * case_dim(c, "input.x", CHANNELS);
    float *image = malloc((size_t)(s->batch * n) * sizeof *image + 1), *noise = calloc((size_t)(s->batch * n) + 1, 4);
    maskdm_scheduler *scheduler = NULL;
    double abar[T];
    int status = -1;

    if (!case_ok(c, maskdm_scheduler_create(&scheduler, NULL), "the scheduler") &&
        !case_ok(c, (int)maskdm_scheduler_table(scheduler, "alphas_cumprod", abar, T), "the schedule")) {
        for (int64_t i = 0; i < s->batch * n; i++)
            image[i] = (float)((double)s->x[i] / signal_at(abar, s->times[i / n]));
        status =
            case_ok(c, maskdm_trainer_set_batch(s->trainer, image, s->labels, s->times, noise, NULL), "the batch");
    }
    maskdm_scheduler_release(&scheduler);
    free(image);
    free(noise);
    return status;
}

static int set_up(struct reference_case *c, struct architecture *s)
{
    char text[64];
    maskdm_options *o = NULL, *ema = NULL;
    maskdm_optimizer *optimizer = NULL;

    s->batch = case_dim(c, "input.x", BATCH);
    s->height = case_dim(c, "input.x", HEIGHT);
    s->width = case_dim(c, "input.x", WIDTH);
    s->outputs = case_dim(c, "expect.output", CHANNELS);
    s->patch = maskdm_model_patch_size(s->model);
    s->x = case_images(c, "input.x", 1, 0);
    s->times = case_f64(c, "input.time", NULL);
    s->labels = case_labels(c);
    for (int64_t i = 0; s->labels && i < s->batch; i++)
        if (s->labels[i] == maskdm_model_classes(s->model))
            s->labels[i] = -1;
    snprintf(text, sizeof text, "batch_size=%lld", (long long)s->batch);
    if (!s->x || !s->times || case_ok(c, maskdm_options_create(&o, "trainer"), "options") ||
        case_ok(c, maskdm_options_parse(o, text), text) ||
        case_ok(c, maskdm_options_create(&ema, "ema"), "options") ||
        case_ok(c, maskdm_options_set(ema, "decay", "0"), "options") ||
        case_ok(c, maskdm_optimizer_create(&optimizer, NULL, ema), "the optimizer") ||
        case_ok(c, maskdm_trainer_create(&s->trainer, s->model, NULL, optimizer, o, NULL), "the trainer"))
        c->failed = 1;
    maskdm_optimizer_release(&optimizer);
    maskdm_options_release(&o);
    maskdm_options_release(&ema);
    return c->failed ? -1 : 0;
}

void architecture_predict(struct reference_case *c, const struct architecture *s, maskdm_model *model,
                          const char *name)
{
    float *out = malloc((size_t)(s->batch * s->outputs * s->height * s->width) * sizeof *out + 1);

    if (!case_ok(c,
                 maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, s->batch, s->x, s->times, s->labels, NULL, 0, out),
                 "predict"))
        case_compare_images(c, name, out, TENSOR_BOUND);
    free(out);
}

int architecture_forward(struct reference_case *c, struct architecture *s)
{
    const int64_t count = s->batch * s->outputs * s->height * s->width;
    double *image;
    float *patches;

    if (case_ok(c, maskdm_trainer_forward(s->trainer), "forward"))
        return -1;
    image = malloc((size_t)count * sizeof *image + 1);
    patches = malloc((size_t)count * sizeof *patches + 1);
    memcpy(patches, maskdm_trainer_view(s->trainer, "prediction", NULL), (size_t)count * sizeof *patches);
    turn(image, patches, s->batch, s->outputs, s->height, s->width, s->patch, 1);
    case_compare(c, "expect.output", image, count, TENSOR_BOUND);
    free(image);
    free(patches);
    return 0;
}

static int run_back(struct reference_case *c, const struct architecture *s)
{
    int64_t count;
    double *cotangent = case_f64(c, "input.cotangent", &count);
    float *patches = cotangent ? malloc((size_t)count * sizeof *patches + 1) : NULL;
    int status = -1;

    if (patches) {
        turn(cotangent, patches, s->batch, s->outputs, s->height, s->width, s->patch, 0);
        status = case_ok(c, maskdm_trainer_backward(s->trainer, patches), "backward");
    }
    free(cotangent);
    free(patches);
    return status;
}

static int64_t parameter_size(const maskdm_model *model, int64_t i)
{
    int64_t shape[8], n = 1;
    const int rank = maskdm_model_parameter_shape(model, i, shape, 8);

    for (int k = 0; k < rank; k++)
        n *= shape[k];
    return n;
}

/* What is added to all pixels before a group norm loses the groups' means there, so that its gradient is what little
 * is left of a sum over an image: PyTorch itself in float32 is off by 2e-5 of it. */
#define CANCELLING_BOUND 1e-4

/* The weights of a query's keys change by nothing in all, so that what the keys have in common is lost, and with four
 * keys most of it: the rounding of all that went before comes to 3.5e-6 or 7.7e-6 of what is left on a CPU, with one
 * instruction set or the other, and to 1.5e-5 on a GPU, whose other gradients are as near as the CPU's. */
#define QUERY_BOUND 2e-5

static int ends_in(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);

    return n > m && !strcmp(name + n - m, ending);
}

static double gradient_bound(const struct reference_case *c, const char *name)
{
    static const char *const cancelling[] = {".conv1.bias", ".time_emb_proj.bias", ".time_emb_proj.weight"};

    for (size_t i = 0; i < sizeof cancelling / sizeof *cancelling; i++)
        if (ends_in(name, cancelling[i]))
            return CANCELLING_BOUND;
    return c->elsewhere && ends_in(name, ".to_q.bias") ? QUERY_BOUND : TENSOR_BOUND;
}

/* What the case does not name is frozen there, and has no gradient. */
static void compare_gradients(struct reference_case *c, const struct architecture *s)
{
    for (int64_t i = 0; i < maskdm_model_parameter_count(s->model) && !c->failed; i++) {
        char name[256];
        const int64_t count = parameter_size(s->model, i);
        float *gradient = malloc((size_t)count * sizeof *gradient + 1);

        snprintf(name, sizeof name, "grad.%s", maskdm_model_parameter_name(s->model, i));
        if (!gradient || case_ok(c, maskdm_trainer_gradient(s->trainer, i, gradient, count), name))
            c->failed = 1;
        else if (case_has(c, name))
            case_compare_f32(c, name, gradient, count, gradient_bound(c, name));
        else
            for (int64_t k = 0; k < count; k++)
                if (gradient[k] != 0)
                    case_fail(c, "%s is frozen and has a gradient", name + 5);
        free(gradient);
    }
}

void architecture_backward(struct reference_case *c, struct architecture *s)
{
    if (!run_back(c, s))
        compare_gradients(c, s);
}

int architecture_open(struct reference_case *c, struct architecture *s, const char *network,
                      architecture_describe describe)
{
    s->model = make_model(c, network, describe);
    return s->model && !set_up(c, s) && !set_batch(c, s) ? 0 : -1;
}

void architecture_close(struct architecture *s)
{
    maskdm_trainer_release(&s->trainer);
    maskdm_model_release(&s->model);
    free(s->x);
    free(s->times);
    free(s->labels);
}

static void run(struct reference_case *c, const char *network, architecture_describe describe)
{
    struct architecture s = {0};
    maskdm_model *written;

    if (!architecture_open(c, &s, network, describe) && !architecture_forward(c, &s)) {
        architecture_predict(c, &s, s.model, "expect.output");
        written = case_written(c);
        if (written)
            architecture_predict(c, &s, written, "expect.output");
        maskdm_model_release(&written);
        architecture_backward(c, &s);
    }
    architecture_close(&s);
}

void case_network(struct reference_case *c)
{
    const char *name = maskdm_file_metadata(c->file, "architecture");
    size_t i = 0;

    while (name && i < sizeof architectures / sizeof *architectures && strcmp(architectures[i].name, name) != 0)
        i++;
    if (name && i < sizeof architectures / sizeof *architectures)
        run(c, architectures[i].kind, architectures[i].describe);
    else
        snprintf(c->skipped, sizeof c->skipped, "network %s is not built as its authors have it",
                 name ? name : "(none)");
}
