/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training, on two levels.
 *
 * One call: maskdm_pretrain(), maskdm_finetune(), maskdm_tune() and maskdm_train() read data, train, log, validate,
 * save and resume in a run folder.
 *
 *     maskdm_options_create(&o, "pretrain");
 *     maskdm_options_parse(o, "data=faces out=run image_size=32 patch_size=4 dim=128 depth=5 heads=4 mask=block "
 *                             "mask_ratio=0.75 mask_block_size=2 steps=1000");
 *     maskdm_pretrain(NULL, o, NULL, NULL, NULL);
 *
 * Parts, for a loop of one's own:
 *
 *     maskdm_trainer_create(&tr, model, mask, optimizer, trainer_options, NULL);
 *     while (maskdm_trainer_steps(tr) < 1000)
 *         maskdm_trainer_step(tr, data);                 // all of the following in one
 *     ...
 *     maskdm_trainer_draw(tr, data, 0);                  // images, labels, times, noise, masks of micro-batch 0
 *     maskdm_trainer_forward(tr);
 *     maskdm_trainer_loss(tr, &loss);                    // or a gradient of one's own
 *     maskdm_trainer_backward(tr, NULL);
 *     maskdm_optimizer_step(optimizer);
 *     maskdm_optimizer_update_ema(optimizer);
 *
 * batch_size is the images of one optimizer step; `accumulate` splits it into that many micro-batches. batch_tokens
 * in its place is their visible patches, so that the images follow from the mask. What of these is given is no more
 * than the data have (MASKDM_EINVAL); without either, images of smaller data come more than once in a step.
 * B images of a micro-batch (of a partition, each image once for each of its groups, which are trained as images
 * are), H x W x C pixels, K visible patches of p x p pixels, n = H W C.
 * Thread safety: a trainer belongs to one thread at a time. While it works, its optimizer and the data that it draws
 * from work with it: calls on them, from a callback too, are MASKDM_EBUSY. Its getters and views may be asked for.
 */
#ifndef MASKDM_TRAIN_H
#define MASKDM_TRAIN_H

#include <maskdm/comm.h>
#include <maskdm/control.h>
#include <maskdm/data.h>
#include <maskdm/mask.h>
#include <maskdm/model.h>
#include <maskdm/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one call ---- */

/**
 * Masked pre-training from fresh weights. options: kind "pretrain". data, mask: in place of the options' own, or
 * NULL. control: callbacks and flags, or NULL. out: the trained model, or NULL. The run folder holds options.json,
 * log.jsonl, data.json, checkpoint-STEP.safetensors, model.safetensors, samples-STEP.png and best.safetensors; see
 * doc/formats.md. Everything that can be refused without reading an image is, before one is read; where the run did
 * not begin, the folder is left as it was. MASKDM_EINVAL, with the first difference, for a resume with other options
 * or data than the run was started with. MASKDM_ECANCELED after a stop (everything saved); MASKDM_ENONFINITE after
 * max_bad_steps skipped steps in a row. After any error too the last good step is saved where that can be done; the
 * line says so.
 * With dry_run nothing is written and *out stays NULL: log lines tell the plan and how long three steps take, or all
 * that is wrong, a line each, and MASKDM_EINVAL how many there are.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data,
                                                 maskdm_mask *mask, maskdm_control *control);
/** Fine-tuning of a model file. options: kind "finetune"; network and scheduler come from the file, and an option
 * that contradicts it is an error, but where it is for training only (route_ratio, sprint_drop and
 * others that doc/routing.md has), and of image_size, patch_size, channels and classes: the model is then made one of
 * such images, as maskdm_model_transfer() does it, and transfer.json in the folder tells what became of its weights.
 * With lora_rank above 0 low-rank adapters are trained in place of the weights, adapter.safetensors is written in
 * place of model.safetensors, and *out has them (maskdm_model_merge()). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data,
                                                 maskdm_mask *mask, maskdm_control *control);

/**
 * The same from either: options of kind "train", in which `init` may be left unset. A run of any of the three is a
 * list of stages (maskdm_options_add_stage()), one where none is given: each has its own trainer, which begins with
 * the weights of the one before, and with new moments and an average from these weights unless it carries all. One
 * folder, one log, in which a line says where a stage begins, one held-out loss; a checkpoint at the end of each
 * stage. A run may be resumed with more stages behind those that it was begun with. What a later stage would be
 * refused for is found before the first begins.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_train(maskdm_model **out, const maskdm_options *options, maskdm_data *data,
                                              maskdm_mask *mask, maskdm_control *control);

/** Consistency tuning of a model file, after which an image needs one evaluation or two (sampler consistency).
 * options: kind "tune", fine-tuning's beside those of kind "consistency"; `every` unset: an equal share of the run's
 * steps for each stage. The trainer's loss and the scheduler's weights and times have no meaning here, and are
 * refused. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_tune(maskdm_model **out, const maskdm_options *options, maskdm_data *data,
                                             maskdm_mask *mask, maskdm_control *control);

/** The average of another width than those that a run kept: options of kind "average" (run, std, step, out, dtype).
 * The snapshots of the run's folder up to a step are summed so that their profiles come nearest to the wanted one,
 * and a log line says how near. MASKDM_ENOTFOUND where there are none, MASKDM_EINVAL, with the nearest, for a step
 * that has none. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_average(const maskdm_options *options, maskdm_control *control);
/** The same on numbers alone, for averages of a host's own: out[i] becomes the factor of average i, which has seen
 * positions[i] updates (images, steps: any unit) and has a power function's profile of deviation stds[i], so that
 * their sum comes nearest to the average of deviation std at `position`. count: 1 to 4096. Any thread. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_average_coefficients(int64_t count, const double *positions,
                                                             const double *stds, double position, double std,
                                                             double *out);
/** Exponent of the power function whose profile has this deviation, from 0.001 to 0.28, as a share of its length:
 * its decay at update n is (1 - 1/n)^(exponent + 1). NaN for other deviations. Any thread. */
MASKDM_API double maskdm_average_exponent(double std);

/* ---- parts ---- */

typedef struct maskdm_trainer maskdm_trainer;

/**
 * Bind a model, a mask policy and an optimizer, and allocate all that a step needs. The trainer works on its own copy
 * of the model's online weights. mask: NULL for none. options: kind "trainer", NULL for the defaults. control: NULL
 * for none. The mask, the model's image size and batch_size/accumulate fix the shapes; where the mask's share changes
 * within the run, those of each step, and what the largest needs is taken.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_create(maskdm_trainer **out, maskdm_model *model, maskdm_mask *mask,
                                                       maskdm_optimizer *optimizer, const maskdm_options *options,
                                                       maskdm_control *control);
MASKDM_API void maskdm_trainer_release(maskdm_trainer **trainer);
/**
 * Before the first step: let it tune for consistency (Geng et al. 2024), so that the model makes an image in one
 * evaluation or two (sampler consistency). The trainer's loss, and the weights and times of the model's scheduler,
 * count no more; masks, labels, optimizer and averages are as ever. In a forward pass the network first says, without
 * a gradient, what it sees of the same images, patches and noise at the lower level r, which is what its answer at t
 * is held against; so a step costs a third more. There is no view "target". options: kind "consistency" or "tune",
 * NULL for the defaults; where there is more than one stage `every` must be given. MASKDM_EINVAL later than that.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_tune(maskdm_trainer *trainer, const maskdm_options *options);

/** One whole optimizer step on `data`. A loss or gradient that is not finite, or a gradient whose square overflows
 * float32, skips the update: the step counts, weights, moments and EMA stay; after max_bad_steps in a row
 * MASKDM_ENONFINITE. MASKDM_ECANCELED leaves the state of the step before. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_step(maskdm_trainer *trainer, maskdm_data *data);

/**
 * Make the coming steps together with other processes, whose trainers have the same options, model and data; NULL:
 * alone again. Between steps. Each rank computes its share of the `accumulate` parts of a step, which MASKDM_EINVAL
 * says do not go round; images, times, noise and masks are those of one process. maskdm_trainer_step() is then
 * collective. It sums gradients by halves of the parts, so that any power of two of ranks comes to the same bits, a
 * communicator "self" too; losses, norm, clipping and a skipped step are those of all. Where the first step finds
 * that ranks differ it is refused in all, with both sides; a failure of one is one of all. A stop that was asked of
 * one ends all behind the same step. A state is the same in every rank: one of them saves it, and it can be gone on
 * with by another number. A loop of one's own parts is not collective, and has maskdm_comm_sum().
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_set_comm(maskdm_trainer *trainer, maskdm_comm *comm);

/** Steps done, steps skipped; micro-batch size B and visible patches K of the step that comes. */
MASKDM_API int64_t maskdm_trainer_steps(const maskdm_trainer *trainer);
MASKDM_API int64_t maskdm_trainer_skipped(const maskdm_trainer *trainer);
MASKDM_API int64_t maskdm_trainer_batch(const maskdm_trainer *trainer);
MASKDM_API int64_t maskdm_trainer_visible(const maskdm_trainer *trainer);
/** Loss of the last whole step (mean over its images); NaN before the first and of NULL. */
MASKDM_API double maskdm_trainer_last_loss(const maskdm_trainer *trainer);

/** What training has cost. Filled by maskdm_trainer_cost(); new fields are only appended. A value that is not known
 * is NaN. */
struct maskdm_cost {
    size_t struct_size;     /* bytes; set by the caller to sizeof(struct maskdm_cost) */
    int64_t step;           /* steps done, those before a resumed training's start too; so in all but the last two */
    int64_t images, tokens; /* of all of them: a token is a visible patch */
    double flops;           /* of all of them */
    double whole_flops;     /* the same if every image had been seen whole, by every block */
    double step_forward, step_backward, step_optimizer; /* FLOPs of the coming step */
    double seconds; /* in maskdm_trainer_step() or a run's steps, of this handle */
    double joules;  /* of processors and memory since its first step, whoever used them, where the machine tells */
};
/** FLOPs are those of the network's matrix products, a multiply-add being two, without what is computed a second time
 * to save memory, and of the optimizer's arithmetic; held-out losses and samples are not among them. cost:
 * struct_size is set, and no more than so many bytes are written. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_cost(maskdm_trainer *trainer, struct maskdm_cost *cost);
/** What a mask or routing saves of the time: seconds of forward and backward as the coming step does them, and as one
 * on whole images, through every block, would. The rest of a step (images, noise, optimizer) is the same for both, so
 * that a step is (t - passes + whole) / t times as fast, t being its own seconds; what arithmetic allows is
 * whole_flops over flops of struct maskdm_cost. Takes up to some seconds, and the memory of whole images meanwhile;
 * MASKDM_EINVAL between the calls of one step. Nothing of the training changes. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_measure(maskdm_trainer *trainer, double *passes, double *whole);

/** Draw micro-batch `part` (0 .. accumulate-1) of the coming step from `data`, with times, noise, masks and label
 * dropout. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_draw(maskdm_trainer *trainer, maskdm_data *data, int64_t part);
/** Give the micro-batch oneself. images: B x n in -1 .. 1. labels: B or NULL (all null). times: B, of the process.
 * noise: B x n, on what diffusion works on (maskdm_model_encode()). index: B x K rising patch indices, NULL when all
 * are visible. All are copied. Where the network routes, which tokens it routes is drawn as for the step's first
 * part, and maskdm_trainer_set_route() puts others in their place. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_set_batch(maskdm_trainer *trainer, const float *images,
                                                          const int32_t *labels, const double *times,
                                                          const float *noise, const int32_t *index);
/** Where tokens pass blocks by in a step (route_ratio, routes, sprint; doc/routing.md): how many of an image's K
 * visible patches take part in route i, counted from 0; 0 where none passes it by. */
MASKDM_API int64_t maskdm_trainer_routed(const maskdm_trainer *trainer, int64_t i);
/** Say who takes part in route i, in place of those that were drawn with the micro-batch. keep: B times
 * maskdm_trainer_routed() places among the image's visible patches, rising; copied. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_set_route(maskdm_trainer *trainer, int64_t i, const int32_t *keep);
/** Where a sprint's deep blocks count for nothing in some images of a step (path_drop): say in which, in place of
 * those that were drawn. dropped: B, 0 or not; copied. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_set_path_drop(maskdm_trainer *trainer, const int32_t *dropped);
/** The micro-batch as it is now, by name: "input" (x_t times the scheduler's input_scale), "noise", "images" are B x
 * n; "target" and "prediction" (of the last forward) are B x K x p*p*C: the visible patches in the order of their
 * index, a patch's values in (row, column, channel) order, where a prediction of more channels than the image has
 * (maskdm_model_outputs()) has the others behind each pixel's; "input_gradient", of the last backward, is B x n, see
 * maskdm_trainer_want_input_gradient(). Of a model of wavelets all of them are coefficients (maskdm_model_encode()),
 * and an image's target and prediction are those of its patches of details behind those of the approximation. *count
 * (may be NULL) is how many values there are. A copy of what lies on the device, in memory of the trainer's that
 * stays as it is until the same view is asked for again or the trainer is released. NULL, and a count of 0, with an
 * error line, for other names and where there is no memory for the copy. */
MASKDM_API const float *maskdm_trainer_view(const maskdm_trainer *trainer, const char *name, int64_t *count);
/** Of the micro-batch's images: times of the process (B), weights of the built-in loss (B), labels (B; -1: the null
 * class, where label dropout left it), indices of the visible patches (B x K, rising). Memory of the trainer's, which
 * the next draw or set_batch fills anew. */
MASKDM_API const double *maskdm_trainer_times(const maskdm_trainer *trainer);
MASKDM_API const double *maskdm_trainer_weights(const maskdm_trainer *trainer);
MASKDM_API const int32_t *maskdm_trainer_labels(const maskdm_trainer *trainer);
MASKDM_API const int32_t *maskdm_trainer_index(const maskdm_trainer *trainer);
/** Let every backward give the gradient of the input as well, as the view "input_gradient". Takes memory and time,
 * and the micro-batch has to be drawn again. MASKDM_ENOMEM leaves the trainer as it was. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_want_input_gradient(maskdm_trainer *trainer);
/** Run the network on the input. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_forward(maskdm_trainer *trainer);
/**
 * The built-in losses, "l2", "l1", "huber", "smooth_l1", "pseudo_huber" and "pseudo_huber_image", on arrays of the
 * host's: of image b `losses` (may be NULL) gets weight[b] (NULL: 1) times the mean over its n values of
 *
 *     l2 d^2, l1 |d|, huber d^2 / 2 up to delta and delta (|d| - delta / 2) beyond, smooth_l1 the same over delta,
 *     pseudo_huber sqrt(d^2 + delta^2) - delta
 *
 * with d = output - target, or, for pseudo_huber_image, sqrt(sum d^2 + delta^2) - delta of all n; and `gradient` (may
 * be NULL), batch x n, that of the images' mean by output. delta 0: 1 of huber and smooth_l1, 0.03 of the last two;
 * the first two have none. MASKDM_ENOTFOUND for other names, MASKDM_EINVAL for a delta that has no meaning. No handle
 * takes part: any thread.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_loss(const char *loss, double delta, int64_t batch, int64_t n,
                                             const float *output, const float *target, const double *weight,
                                             double *losses, float *gradient);
/** The built-in loss (option `loss`) of the last forward: mean over each image's visible values, then over the
 * images; loss may be NULL. Its gradient, divided by `accumulate`, is what maskdm_trainer_backward(NULL) goes
 * from. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_loss(maskdm_trainer *trainer, double *loss);
/** Add the gradients of all parameters, from the gradient of the prediction (in its shape), or NULL: the built-in
 * loss's. Once per forward. When cancelled, all that was summed is set to zero. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_backward(maskdm_trainer *trainer, const float *dprediction);
/** Images that keep what the model can, beside those of maskdm_trainer_step() and _draw(): the option retain_share is
 *  their share of a batch, where they have no labels; they count retain_weight times the others, by forget_power the
 *  more the less noise they are under. `data` may be NULL: none, as at first. The trainer holds the set and works
 *  with it. MASKDM_EINVAL where they are too few for a batch. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_set_retained(maskdm_trainer *trainer, maskdm_data *data);
/** Whether parameter i moves in training: 0 where the trainer's `freeze` names it, or its network keeps it fixed, as
 *  tables of sines and cosines. MASKDM_EINVAL for a bad index. */
MASKDM_API int maskdm_trainer_is_trained(const maskdm_trainer *trainer, int64_t i);
/** Gradient of parameter i (the model's order) as summed so far. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_gradient(const maskdm_trainer *trainer, int64_t i, float *out,
                                                         int64_t count);
/** Put another in its place: a sum over processes, or one that was operated on. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_set_gradient(maskdm_trainer *trainer, int64_t i, const float *value,
                                                             int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_zero_gradients(maskdm_trainer *trainer);

/** A model with the trainer's weights as they are now: EMA (where it has begun) and online. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_model(maskdm_model **out, maskdm_trainer *trainer);
/** Training state: weights, EMA, moments, step, options, what the host set by maskdm_optimizer_set_lr() and
 * _set_group(), and a digest; see doc/formats.md. Resuming continues bit for
 * bit. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_save(maskdm_trainer *trainer, const char *path);
/** MASKDM_EINVAL with both values when the file's network, scheduler, mask, optimizer or trainer options differ;
 * MASKDM_EFORMAT for a broken file. Everything is checked before the trainer changes; when the disk then fails in the
 * middle (MASKDM_EIO), the trainer refuses to step until another load succeeds. Rate and groups that the host set
 * become the file's; what it sets afterwards counts. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_load(maskdm_trainer *trainer, const char *path);

/** The same, but the options of the optimizer and its average that are named ("lr", "weight_decay", "decay") may
 * differ: the trainer's hold from there on, for "lr" the host's rate too. MASKDM_ENOTFOUND for a name that is none
 * of theirs. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_load_under(maskdm_trainer *trainer, const char *path,
                                                           const char *const *may_differ, int64_t count);

/** Write the trainer's averages, of kind "ema" with type=power, into a folder: average-STEP-STD.safetensors for each
 * width, a model file that says what it is, durably. dtype: "F32", "F16" or "BF16"; of these and others like them
 * maskdm_average() makes an average of any width. MASKDM_EINVAL for averages of another type, before their first
 * update, and, with the tensor's name, for a value that the type does not hold. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_snapshot(maskdm_trainer *trainer, const char *folder,
                                                         const char *dtype);

/**
 * Held-out loss on the first `count` images of `data` (0: all): the mean of (x0 - predicted x0)^2 of whole images, at
 * noise-to-signal ratios of 0.02 to 20, stratified over their logarithm, with noise fixed by the trainer's seed; so
 * it compares across processes, predictions and weights. bucket: its mean over `buckets` equal parts of that
 * logarithm (NaN where no image fell), or NULL. which: enum maskdm_weights.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_trainer_validate(maskdm_trainer *trainer, maskdm_data *data, int64_t count,
                                                         int which, double *loss, double *bucket,
                                                         int64_t buckets);

#ifdef __cplusplus
}
#endif

#endif
