/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kinds "loss" and "train": one trainer, given the case's images, times, noise and masks.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a training case gives for one micro-batch, and what was made for it. */
struct setup {
    maskdm_model *model;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
    int64_t batch, patches, visible, n; /* images, patches of one, visible ones, values of one */
    int64_t first, shown;               /* of those of the first kind, where there are two: all, and visible ones */
    float *image, *noise;               /* all steps */
    double *times;
    int32_t *index, *labels;
};

/* Kinds of one grid are asked for in their order; the cases hide as many of the one as of the other there. */
static int64_t visible(void *user, int64_t rows, int64_t columns)
{
    const struct setup *s = user;

    return rows * columns == s->first ? s->shown : s->visible - s->shown;
}

/* The case gives every mask, so that none is ever drawn. */
static int draw(void *user, uint64_t random, int64_t rows, int64_t columns, int32_t *index)
{
    (void)user;
    (void)random;
    (void)rows;
    (void)columns;
    (void)index;
    return 1;
}

/* Rising indices of the patches that `input.mask` (1 = hidden) leaves visible. */
static int read_masks(struct reference_case *c, struct setup *s)
{
    int64_t count, k = 0, shown = 0;
    double *hidden;

    s->visible = s->patches;
    s->shown = case_has(c, "input.mask") ? 0 : s->first;
    if (!case_has(c, "input.mask"))
        return 0;
    hidden = case_f64(c, "input.mask", &count);
    if (!hidden)
        return -1;
    for (int64_t i = 0; i < s->patches; i++) {
        shown += hidden[i] == 0;
        s->shown += i < s->first && hidden[i] == 0;
    }
    s->visible = shown;
    s->index = malloc((size_t)count * sizeof *s->index + 1);
    for (int64_t i = 0; s->index && i < count; i++) {
        if (hidden[i] == 0)
            s->index[k++] = (int32_t)(i % s->patches);
        if (i % s->patches == s->patches - 1 && k != (i / s->patches + 1) * shown) {
            case_fail(c, "image %lld shows another number of patches", (long long)(i / s->patches));
            break;
        }
    }
    free(hidden);
    return s->index && !c->failed ? 0 : -1;
}

/* `axis`: which dimension of the inputs counts the images of one step. */
static int read_inputs(struct reference_case *c, struct setup *s, int axis)
{
    s->batch = case_dim(c, "input.image", axis);
    s->patches = case_dim(c, "input.image", axis + HEIGHT) / maskdm_model_patch_size(s->model) *
                 (case_dim(c, "input.image", axis + WIDTH) / maskdm_model_patch_size(s->model));
    s->first = s->patches;
    if (case_has_wavelets(c)) {
        const int64_t scale = (int64_t)case_number(c, "network", "scale", 2);

        s->patches += s->first / (scale * scale);
    }
    s->n = case_dim(c, "input.image", axis + 1) * case_dim(c, "input.image", axis + 2) *
           case_dim(c, "input.image", axis + 3);
    s->image = case_images(c, "input.image", 2, -1);
    s->noise = case_images(c, "input.noise", 1, 0);
    s->times = case_f64(c, "input.t", NULL);
    s->labels = case_labels(c);
    return s->image && s->noise && s->times && !read_masks(c, s) ? 0 : -1;
}

static int options(struct reference_case *c, maskdm_options **o, const char *kind, const char *text)
{
    *o = NULL;
    return case_ok(c, maskdm_options_create(o, kind), kind) || case_ok(c, maskdm_options_parse(*o, text), text);
}

/* The authors' optimizer; clip_grad is null where clipping is off. */
static int make_optimizer(struct reference_case *c, struct setup *s)
{
    char text[256], ema[256], betas[64];
    const char *comma;
    maskdm_options *o = NULL, *e = NULL;

    snprintf(betas, sizeof betas, "%s", case_value(c, "optimizer", "betas", "0.99, 0.99"));
    comma = strchr(betas, ',');
    snprintf(text, sizeof text,
             "lr=%.17g beta1=%.17g beta2=%.17g weight_decay=%.17g warmup_steps=%.0f clip_norm=%.17g",
             case_number(c, "optimizer", "lr", 1e-4), strtod(betas, NULL), comma ? strtod(comma + 1, NULL) : 0.99,
             case_number(c, "optimizer", "weight_decay", 0), case_number(c, "optimizer", "warmup_steps", 0),
             case_number(c, "optimizer", "clip_grad", 0));
    snprintf(ema, sizeof ema, "decay=%.17g start=%.0f inv_gamma=%.17g power=%.17g",
             case_number(c, "optimizer", "ema_decay", 0), case_number(c, "optimizer", "ema_update_after_step", 100),
             case_number(c, "optimizer", "ema_inv_gamma", 1), case_number(c, "optimizer", "ema_power", 2.0 / 3));
    if (!options(c, &o, "optimizer", text) && !options(c, &e, "ema", ema))
        case_ok(c, maskdm_optimizer_create(&s->optimizer, o, e), text);
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    return s->optimizer ? 0 : -1;
}

static int set_up(struct reference_case *c, struct setup *s, int axis)
{
    const char *loss;
    char text[128];
    maskdm_options *o = NULL;

    memset(s, 0, sizeof *s);
    s->model = case_model(c);
    if (!s->model || read_inputs(c, s, axis) || make_optimizer(c, s))
        return -1;
    loss = case_value(c, "diffusion", "loss_type", "l2");
    snprintf(text, sizeof text, "batch_size=%lld loss=%s", (long long)s->batch, loss);
    if (!options(c, &o, "trainer", text) &&
        !case_ok(c, maskdm_mask_create_custom(&s->mask, "given", visible, draw, NULL, s), "mask"))
        case_ok(c, maskdm_trainer_create(&s->trainer, s->model, s->mask, s->optimizer, o, NULL), "trainer");
    maskdm_options_release(&o);
    return s->trainer ? 0 : -1;
}

static void tear_down(struct setup *s)
{
    maskdm_trainer_release(&s->trainer);
    maskdm_optimizer_release(&s->optimizer);
    maskdm_mask_release(&s->mask);
    maskdm_model_release(&s->model);
    free(s->image);
    free(s->noise);
    free(s->times);
    free(s->index);
    free(s->labels);
}

/* Forward, loss and backward on the micro-batch of step `step`. */
static int one_step(struct reference_case *c, struct setup *s, int64_t step, double *loss)
{
    const int64_t at = step * s->batch;

    return case_ok(c,
                   maskdm_trainer_set_batch(s->trainer, s->image + at * s->n, s->labels ? s->labels + at : NULL,
                                            s->times + at, s->noise + at * s->n,
                                            s->index ? s->index + at * s->visible : NULL),
                   "the batch") ||
           case_ok(c, maskdm_trainer_forward(s->trainer), "forward") ||
           case_ok(c, maskdm_trainer_loss(s->trainer, loss), "the loss") ||
           case_ok(c, maskdm_trainer_backward(s->trainer, NULL), "backward");
}

static void compare_gradients(struct reference_case *c, struct setup *s)
{
    for (int64_t i = 0; i < maskdm_file_count(c->file); i++) {
        const char *name = maskdm_file_name(c->file, i);
        const int64_t count = maskdm_file_elements(c->file, i);
        float *gradient;
        int64_t parameter;

        if (strncmp(name, "grad.", 5) != 0)
            continue;
        parameter = maskdm_model_parameter_find(s->model, name + 5);
        gradient = malloc((size_t)count * sizeof *gradient + 1);
        if (parameter < 0 || !gradient)
            case_fail(c, "the library's network has no parameter %s", name + 5);
        else if (!case_ok(c, maskdm_trainer_gradient(s->trainer, parameter, gradient, count), name))
            case_compare_f32(c, name, gradient, count, TENSOR_BOUND);
        free(gradient);
    }
}

static void compare_dense(struct reference_case *c, struct setup *s)
{
    float *dense = malloc((size_t)(s->batch * s->n) * sizeof *dense + 1);

    if (dense &&
        !case_ok(c,
                 maskdm_model_predict(s->model, MASKDM_WEIGHTS_EMA, s->batch,
                                      maskdm_trainer_view(s->trainer, "input", NULL), s->times, s->labels, NULL, 0,
                                      dense),
                 "predict"))
        case_compare_images(c, "expect.dense", dense, TENSOR_BOUND);
    free(dense);
}

void case_loss(struct reference_case *c)
{
    struct setup s;
    const float *seen;
    double loss;
    int64_t predicted;

    if (!set_up(c, &s, BATCH) && !one_step(c, &s, 0, &loss)) {
        case_compare_images(c, "expect.x_t", maskdm_trainer_view(s.trainer, "input", NULL), TENSOR_BOUND);
        seen = maskdm_trainer_view(s.trainer, "prediction", &predicted);
        case_compare_f32(c, "expect.visible", seen, predicted, TENSOR_BOUND);
        case_compare(c, "expect.loss", &loss, 1, LOSS_BOUND);
        compare_gradients(c, &s);
        if (case_has(c, "expect.dense"))
            compare_dense(c, &s);
    }
    tear_down(&s);
}

static void compare_weights(struct reference_case *c, maskdm_model *model, const char *prefix,
                            enum maskdm_weights which)
{
    for (int64_t i = 0; i < maskdm_file_count(c->file); i++) {
        const char *name = maskdm_file_name(c->file, i);
        const int64_t count = maskdm_file_elements(c->file, i);
        const size_t n = strlen(prefix);
        float *weights;

        if (strncmp(name, prefix, n) != 0)
            continue;
        weights = malloc((size_t)count * sizeof *weights + 1);
        if (weights && !case_ok(c,
                                maskdm_model_get_parameter(model, which, maskdm_model_parameter_find(model, name + n),
                                                           weights, count),
                                name))
            case_compare_f32(c, name, weights, count, TENSOR_BOUND);
        free(weights);
    }
}

void case_train(struct reference_case *c)
{
    struct setup s;
    const int64_t steps = case_dim(c, "input.image", 0);
    double *loss = malloc((size_t)(steps > 0 ? steps : 1) * sizeof *loss), *norm = NULL;
    double *given = case_f64(c, "expect.grad_norm", NULL);
    maskdm_model *trained = NULL;

    norm = malloc((size_t)(steps > 0 ? steps : 1) * sizeof *norm);
    if (!set_up(c, &s, BATCH + 1) && loss && norm && given) {
        for (int64_t i = 0; i < steps && !c->failed; i++) {
            if (one_step(c, &s, i, &loss[i]) || case_ok(c, maskdm_optimizer_step(s.optimizer), "the optimizer") ||
                case_ok(c, maskdm_optimizer_update_ema(s.optimizer), "the average"))
                break;
            /* The authors write 0 where they do not clip. */
            norm[i] = given[i] == 0 ? 0 : maskdm_optimizer_grad_norm(s.optimizer);
        }
        if (!c->failed && !case_ok(c, maskdm_trainer_model(&trained, s.trainer), "the model")) {
            case_compare(c, "expect.loss", loss, steps, LOSS_BOUND);
            case_compare(c, "expect.grad_norm", norm, steps, TENSOR_BOUND);
            compare_weights(c, trained, "expect.param.", MASKDM_WEIGHTS_ONLINE);
            compare_weights(c, trained, "expect.ema.", MASKDM_WEIGHTS_EMA);
        }
    }
    maskdm_model_release(&trained);
    tear_down(&s);
    free(loss);
    free(norm);
    free(given);
}
