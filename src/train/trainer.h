/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The trainer: its own copy of the online weights, their gradients, an optimizer's moments, a program for one
 * micro-batch, and that micro-batch. Everything a step needs is taken when it is created.
 *
 * One optimizer step is `accumulate` micro-batches of B rows. A row is an image, or one of the groups into which a
 * partition divides it: each is trained as an image of its own, so that nothing below knows of groups. Images have
 * numbers in the run's stream, beginning with those of all steps before (pace.h), and rows have theirs, `groups`
 * times as many. Whatever is drawn for an image or row is keyed by that number, so that accumulation changes no draw.
 */
#ifndef MASKDM_TRAIN_TRAINER_H
#define MASKDM_TRAIN_TRAINER_H

#include <maskdm/train.h>

#include "base/control.h"
#include "data/augment.h"
#include "mask/mask.h"
#include "model/routing.h"
#include "train/ahead.h"
#include "train/cost.h"
#include "train/microbatch.h"
#include "train/optimizer.h"
#include "train/retain.h"
#include "train/ranks.h"
#include "train/pace.h"

/* How far the micro-batch has come; each call needs the one before. */
enum mdm_stage { MDM_STAGE_EMPTY, MDM_STAGE_DRAWN, MDM_STAGE_FORWARD, MDM_STAGE_LOSS };

/* Which copies of device memory a host may have; the last is on the way to the target's. */
enum mdm_view {
    MDM_VIEW_INPUT,
    MDM_VIEW_NOISE,
    MDM_VIEW_IMAGES,
    MDM_VIEW_INPUT_GRADIENT,
    MDM_VIEW_TARGET,
    MDM_VIEW_PREDICTION,
    MDM_VIEW_WHOLE,
    MDM_VIEWS
};

struct maskdm_trainer {
    struct mdm_handle handle;
    maskdm_device *device;
    maskdm_model *model; /* a view of the blocks below; holds network and scheduler */
    maskdm_mask *mask;   /* NULL: none */
    maskdm_optimizer *optimizer;
    maskdm_control *control; /* may be NULL */
    maskdm_options *options;
    struct mdm_pace pace;
    struct mdm_routing routing; /* of the network */
    int64_t accumulate, values; /* n = H W C */
    /* Of the step that was drawn last, or is drawn first: */
    const struct mdm_pace_level *level;
    int64_t batch_size, images, batch; /* images of the step and of a micro-batch; B, its rows */
    int64_t visible;                   /* K */
    uint64_t seed;                     /* of what steps draw */
    uint64_t run_seed;                 /* of the held-out loss, which is the same in all stages of a run */
    int64_t stage_number, stage_first; /* of a run: from 1, and the steps before it */
    int64_t average_first;             /* of a run: the steps before its average began */
    struct mdm_augment augment;
    double label_dropout;
    enum mdm_loss_kind loss;
    double loss_delta;
    int64_t max_bad_steps;
    struct mdm_retain retain;
    struct mdm_tune *tune; /* consistency tuning (tune.h); NULL: none */

    float *weights, *gradients; /* blocks; device memory */
    size_t block_bytes;
    size_t memory;               /* bytes of device memory, without what validation takes for itself */
    struct mdm_program *program; /* of the level; `room`, or in its arena */
    struct mdm_program *room;    /* of the level that needs the largest arena */
    enum mdm_program_use use;    /* of both */
    struct mdm_program *check;   /* whole images, forward only; made by the first validation */

    struct mdm_microbatch micro;
    struct mdm_ahead ahead;
    struct mdm_ranks ranks; /* other processes that make the same steps */
    enum mdm_stage stage;
    _Atomic(float *) *view; /* host memory, MDM_VIEWS copies that were asked for, else NULL */

    int64_t skipped, bad_in_a_row;
    double last_loss;
    struct mdm_meter meter;
    char data[192]; /* what the data are, for the state (mdm_data_identity()); "" where nobody knows */
    int broken;     /* a state file failed half-way through: no step before another load has succeeded */
};

int mdm_trainer_create(maskdm_trainer **out, maskdm_model *model, maskdm_mask *mask, maskdm_optimizer *optimizer,
                       const maskdm_options *options, maskdm_control *control);
void mdm_trainer_drop(maskdm_trainer **trainer);
/* Bytes of device memory that the trainer and its optimizer hold, as their device counts them. */
size_t mdm_trainer_memory(const maskdm_trainer *tr);
/* One step without a progress report. */
int mdm_trainer_step(maskdm_trainer *tr, maskdm_data *data);
/* After MASKDM_ENONFINITE: forget the steps in a row that were not finite. They changed nothing but counters, so that
 * the state is again that of the last step with an update, to the byte; MASKDM_ENONFINITE when that is not
 * finite itself, which no state file may be. */
int mdm_trainer_take_back(maskdm_trainer *tr);
/* What a progress callback is told of the last step; `steps` 0: not known. */
struct maskdm_progress mdm_trainer_progress(const maskdm_trainer *tr);

/* ---- measure.c ---- */
/* Seconds of forward and backward of the coming step, and of one that sees its images whole, by every block. */
int mdm_trainer_measure(maskdm_trainer *tr, double *now, double *whole);

/* ---- estimate.c ---- */
/* Bytes of device memory that a trainer with an average would take beside its model. A batch of 0: what options of a
 * whole run say of batch and mask. */
int mdm_trainer_estimate(size_t *bytes, maskdm_device *device, const char *network, const maskdm_options *options,
                         struct mdm_extent extent);
/* Everything that a trainer will take together against the limit, before the first byte is taken. */
int mdm_trainer_check_memory(maskdm_trainer *tr, maskdm_model *model);

/* ---- levels.c ---- */
/* Of a micro-batch of a level, and what has room for those of every level. */
int mdm_levels_extent(struct mdm_extent *out, const struct mdm_pace *pace, const maskdm_model *model,
                      const struct mdm_pace_level *level);
int mdm_levels_most(struct mdm_extent *out, const struct mdm_pace *pace, const maskdm_model *model);
/* The program that needs the largest arena, and the bytes of that. */
int mdm_levels_largest(size_t *bytes, struct mdm_extent *largest, const struct mdm_pace *pace, maskdm_model *model,
                       enum mdm_program_use use);
/* Programs for such a use, in place of those that are there, which stay where it fails. */
int mdm_trainer_make_programs(maskdm_trainer *tr, enum mdm_program_use use);
void mdm_trainer_release_programs(maskdm_trainer *tr);
/* To the level of the coming step, where it is another: the micro-batch goes, and the program is made anew. */
int mdm_trainer_follow(maskdm_trainer *tr);
/* In words, as the middle of a sentence. */
enum { MDM_LEVEL_TEXT = 256 };
void mdm_trainer_describe_level(char *out, size_t size, const maskdm_trainer *tr, const struct mdm_pace_level *level);
/* Let backward go as far as the input. Other programs take the place of the trainer's, and the micro-batch goes. */
int mdm_trainer_want_input_gradient(maskdm_trainer *tr);

/* ---- fetch.c ---- */
/* Images and labels of the run's stream into a micro-batch, on the host: what draw() begins with. */
int mdm_trainer_fetch(maskdm_trainer *tr, struct mdm_microbatch *m, maskdm_data *data, int64_t image);

/* ---- batch.c ---- */
/* A batch that was asked for is no larger than the data: those may not be the ones that were meant. Where nobody
 * asked, the rate was chosen for the usual one, which then has images several times, each under a time, noise and a
 * mask of its own. */
int mdm_trainer_check_count(const maskdm_trainer *tr, int64_t images);
int mdm_trainer_check_data(const maskdm_trainer *tr, const maskdm_data *data);
int mdm_trainer_draw(maskdm_trainer *tr, maskdm_data *data, int64_t part);
int mdm_trainer_set_batch(maskdm_trainer *tr, const float *images, const int32_t *labels, const double *times,
                          const float *noise, const int32_t *index);
/* Tokens of an image that take part in a route, 0 where none passes it by; and who does, in place of those drawn. */
int64_t mdm_trainer_routed(const maskdm_trainer *tr, int64_t route);
int mdm_trainer_set_route(maskdm_trainer *tr, int64_t route, const int32_t *keep);
/* The same for the images of which nothing comes from the deep blocks. */
int mdm_trainer_set_path_drop(maskdm_trainer *tr, const int32_t *dropped);

/* ---- view.c ---- */
/* Host memory, good until the same view is asked for again or the trainer goes, and how many values it has. NULL and
 * 0, with a line, for another name and where there is no memory for the copy. */
const float *mdm_trainer_view(const maskdm_trainer *tr, const char *name, int64_t *count);

/* ---- passes.c ---- */
int mdm_trainer_forward(maskdm_trainer *tr);
int mdm_trainer_loss(maskdm_trainer *tr, double *loss);
/* The same without the mean. late: the losses of the micro-batch come by mdm_microbatch_collect(). */
int mdm_trainer_compare(maskdm_trainer *tr, int late);
double mdm_trainer_sum_losses(const maskdm_trainer *tr); /* of the micro-batch's rows */
int mdm_trainer_backward(maskdm_trainer *tr, const float *dprediction);
int mdm_trainer_zero_gradients(maskdm_trainer *tr);

/* ---- validate.c ---- */
int mdm_trainer_validate(maskdm_trainer *tr, maskdm_data *data, int64_t count, enum maskdm_weights which,
                         double *loss, double *bucket, int64_t buckets);

/* ---- state.c ---- */
int mdm_trainer_save(maskdm_trainer *tr, const char *path);
/* may_differ: names of the options, NULL behind the last, of which the trainer keeps its own; or NULL. */
int mdm_trainer_load(maskdm_trainer *tr, const char *path, const char *const *may_differ);

#endif
