/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW, clipping, warm-up and the average of the weights. The optimizer owns the moments and the average; weights
 * and gradients belong to the trainer that it is bound to.
 */
#ifndef MASKDM_TRAIN_OPTIMIZER_H
#define MASKDM_TRAIN_OPTIMIZER_H

#include <maskdm/optimizer.h>

#include "backend/device.h"
#include "base/handle.h"
#include "option/option.h"

struct mdm_ema_rule {
    int on;
    double decay, inv_gamma, power;
    int64_t start, every; /* updates */
};

/* What a host says of the parameters whose names match: rate, times that of the others (0: they stay as they are),
 * and weight decay (NaN: that of the others). */
struct mdm_group {
    char *pattern;
    double lr_factor, weight_decay;
};
enum { MDM_GROUPS = 256 };

/* All that a host says over the options' heads; training states carry it. */
struct mdm_host_rules {
    double lr; /* in place of rate and warm-up; NaN: none */
    struct mdm_group *group;
    int groups;
};

struct maskdm_optimizer {
    struct mdm_handle handle;
    maskdm_options *options, *ema_options; /* resolved */
    double lr, beta1, beta2, eps, weight_decay, clip;
    int64_t warmup; /* steps */
    struct mdm_host_rules host;
    struct mdm_ema_rule rule;

    /* Bound to a trainer: blocks of `length` elements. device NULL: not bound. */
    maskdm_device *device;
    struct mdm_handle *owner; /* the trainer's, not held: it unbinds before it goes */
    size_t length;
    const struct mdm_params *layout; /* which of them are trained */
    /* Device memory. */
    float *weights, *gradients; /* the trainer's, as the layout is; NULL once it is gone */
    float *moment1, *moment2;
    float *ema; /* NULL: off */

    int64_t steps;       /* counted, skipped ones too */
    int64_t applied;     /* steps that moved the weights: Adam's bias correction goes by them, as in PyTorch */
    int64_t ema_updates; /* updates of the average; a skipped step has none */
    int last_skipped;
    int torn; /* an update broke off: weights, moments and average are no longer of one step */
    double grad_norm;
};

int mdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema);
void mdm_optimizer_hold(maskdm_optimizer *o);
void mdm_optimizer_drop(maskdm_optimizer **o);
/* How many blocks bind() takes. */
int mdm_optimizer_blocks(int with_ema);
/* Take moments and the average (which starts as the weights). MASKDM_EINVAL when bound already. */
int mdm_optimizer_bind(maskdm_optimizer *o, struct mdm_handle *owner, maskdm_device *device,
                       const struct mdm_params *layout, float *weights, float *gradients);
/* The trainer goes: moments and average are given back, counters stay readable. */
void mdm_optimizer_unbind(maskdm_optimizer *o);
/* MASKDM_EINVAL when it is not bound, or holds half of an update. */
int mdm_optimizer_check(const maskdm_optimizer *o);
double mdm_optimizer_lr(const maskdm_optimizer *o, int64_t step);
/* One step, with the average in the same pass when `with_ema`. `skip`: count it and drop the gradients. */
int mdm_optimizer_step(maskdm_optimizer *o, int with_ema, int skip);

/* ---- host_rules.c ---- */
struct mdm_text;
void mdm_host_rules_free(struct mdm_host_rules *r);
/* MASKDM_EINVAL for numbers that are out of range, and for one group too many. */
int mdm_host_rules_add(struct mdm_host_rules *r, const char *pattern, double lr_factor, double weight_decay);
int mdm_host_rules_check_lr(double lr);
/* As JSON, nothing where there are none; and back, from NULL too. */
void mdm_host_rules_write(const struct mdm_host_rules *r, struct mdm_text *out);
int mdm_host_rules_read(struct mdm_host_rules *r, const char *json);

/* ---- group.c ---- */
int mdm_optimizer_set_group(maskdm_optimizer *o, const char *pattern, double lr_factor, double weight_decay);
/* The next run of parameters that are trained alike, elements from .. end - 1 of a block, and their group, NULL for
 * none. 0: there is none. Begin with a zeroed struct. */
struct mdm_run_of {
    size_t from, end;
    const struct mdm_group *group;
};
int mdm_optimizer_run(const maskdm_optimizer *o, struct mdm_run_of *run);

/* What update `s` (from 0) does: 0 nothing, 1 copy, 2 move by 1 - *decay; the modes of struct mdm_optimizer. */
int mdm_ema_mode(const struct mdm_ema_rule *rule, int64_t s, double *decay);
int mdm_optimizer_update_ema(maskdm_optimizer *o);

#endif
