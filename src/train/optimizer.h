/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW, clipping, the rate's schedule and the average of the weights. The optimizer owns the moments and the
 * average; weights and gradients belong to the trainer that it is bound to.
 */
#ifndef MASKDM_TRAIN_OPTIMIZER_H
#define MASKDM_TRAIN_OPTIMIZER_H

#include <maskdm/optimizer.h>

#include "backend/device.h"
#include "base/handle.h"
#include "option/option.h"
#include "tensor/tensor.h"
#include "train/ema.h"
#include "train/lr.h"
#include "train/muon.h"

/* What a host says of the parameters whose names match: rate, times that of the others (0: they stay as they are),
 * and weight decay (NaN: that of the others). */
struct mdm_group {
    char *pattern;
    double lr_factor, weight_decay;
};
enum { MDM_GROUPS = 256 };

/* All that a host says over the options' heads; training states carry it. */
struct mdm_host_rules {
    double lr; /* in place of rate and schedule; NaN: none */
    struct mdm_group *group;
    int groups;
};

/* Of the parameters, those that a kind moves itself, and FLOPs of products in an update. */
struct mdm_optimizer_share {
    int64_t elements, matrices;
    double flops;
};

/* A kind of optimizer: what it does with parameters that it has better for than AdamW, which moves the others. Adding
 * one is a file with one of these, its options, and a row in optimizer_list.c. */
struct mdm_optimizer_class {
    const char *name;
    /* Whether it moves this parameter itself; NULL, as all that follows: AdamW moves every one. */
    int (*takes)(const struct mdm_param *p);
    /* What is said for it, as it is meant. */
    int (*read)(maskdm_optimizer *o, const struct mdm_optimizer_options *told);
    /* What a step needs, once the optimizer has device and layout; its bytes, before; and away with it. */
    int (*bind)(maskdm_optimizer *o);
    size_t (*bytes)(const maskdm_optimizer *o, maskdm_device *device, const struct mdm_params *layout);
    void (*unbind)(maskdm_optimizer *o);
    /* Move them, with `lr` the rate of the others, and set their gradients to zero. */
    int (*update)(const maskdm_optimizer *o, struct mdm_backend *b, double lr, double grad_scale);
    /* How much that is. */
    void (*share)(struct mdm_optimizer_share *out, const maskdm_optimizer *o);
};
extern const struct mdm_optimizer_class mdm_muon;

/* Of an optimizer that no trainer has: its parameters, on its device. */
struct mdm_own {
    struct mdm_params layout;
    float *weights, *gradients; /* device memory */
};

struct maskdm_optimizer {
    struct mdm_handle handle;
    const struct mdm_optimizer_class *kind;
    struct mdm_muon_settings muon;
    maskdm_options *options, *ema_options; /* resolved */
    double lr, beta1, beta2, eps, weight_decay, clip;
    struct mdm_lr_options rate; /* what `lr` is multiplied by */
    struct mdm_host_rules host;
    struct mdm_ema_rule rule;
    struct mdm_own own; /* empty: it is a trainer's or nobody's */

    /* Bound to a trainer: blocks of `length` elements. device NULL: not bound. */
    maskdm_device *device;
    struct mdm_handle *owner; /* the trainer's, not held: it unbinds before it goes */
    size_t length;
    const struct mdm_params *layout; /* which of them are trained */
    /* Device memory. */
    float *weights, *gradients; /* the trainer's, as the layout is; NULL once it is gone */
    float *moment1, *moment2;
    float *ema;                     /* NULL: off */
    float *further[MDM_WIDTHS - 1]; /* averages of other widths */

    void *kept; /* by the kind */

    int64_t steps;       /* counted, skipped ones too */
    int64_t applied;     /* steps that moved the weights: Adam's bias correction goes by them, as in PyTorch */
    int64_t ema_updates; /* updates of the average; a skipped step has none */
    int last_skipped;
    int torn; /* an update broke off: weights, moments and average are no longer of one step */
    double grad_norm;
};

/* ---- optimizer_list.c ---- */
const struct mdm_optimizer_class *mdm_optimizer_class_at(int i); /* NULL: none */

/* ---- optimizer.c ---- */
int mdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema);
void mdm_optimizer_hold(maskdm_optimizer *o);
void mdm_optimizer_drop(maskdm_optimizer **o);
/* How many blocks bind() takes for so many averages. */
int mdm_optimizer_blocks(int averages);
/* Take moments and the averages (which start as the weights). MASKDM_EINVAL when bound already. */
int mdm_optimizer_bind(maskdm_optimizer *o, struct mdm_handle *owner, maskdm_device *device,
                       const struct mdm_params *layout, float *weights, float *gradients);
/* The trainer goes: moments and average are given back, counters stay readable. */
void mdm_optimizer_unbind(maskdm_optimizer *o);
void mdm_own_free(struct mdm_own *own, maskdm_device *device);
/* MASKDM_EINVAL when it is not bound, or holds half of an update. */
int mdm_optimizer_check(const maskdm_optimizer *o);
double mdm_optimizer_lr(const maskdm_optimizer *o, int64_t step);
/* Bytes of device memory that bind() takes beside the blocks. */
size_t mdm_optimizer_bytes(const maskdm_optimizer *o, maskdm_device *device, const struct mdm_params *layout);
/* 0: AdamW moves everything. */
int mdm_optimizer_share(struct mdm_optimizer_share *out, const maskdm_optimizer *o);
/* One step, with the averages in the same pass when `with_ema`. `skip`: count it and drop the gradients. */
int mdm_optimizer_step(maskdm_optimizer *o, int with_ema, int skip);
/* It in two: the sum of the gradients' squares, behind all work that was asked for, and what it comes to. */
int mdm_optimizer_measure(maskdm_optimizer *o, double *squares);
int mdm_optimizer_apply(maskdm_optimizer *o, int with_ema, int skip, double squares);

/* ---- own.c ---- */
/* Bind it to parameters of its own; see maskdm_optimizer_bind(). */
int mdm_optimizer_bind_own(maskdm_optimizer *o, maskdm_device *device, int64_t count, const char *const *names,
                           const int64_t *shapes, const int32_t *matrices, const float *const *weights);

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
/* What a host says of a parameter; NULL: nothing. */
const struct mdm_group *mdm_optimizer_group_of(const maskdm_optimizer *o, const char *name);
/* Whether the kind moves a parameter itself, which it leaves where the host froze it. */
int mdm_optimizer_takes(const maskdm_optimizer *o, const struct mdm_param *p);
/* The next run of parameters that are trained alike, elements from .. end - 1 of a block, and their group, NULL for
 * none. 0: there is none. Begin with a zeroed struct. */
struct mdm_run_of {
    int adamw; /* without those that the kind moves itself */
    size_t from, end;
    const struct mdm_group *group;
};
int mdm_optimizer_run(const maskdm_optimizer *o, struct mdm_run_of *run);

/* The average of a width, from 0 to rule.widths - 1; NULL past the last. */
float *mdm_optimizer_average(const maskdm_optimizer *o, int width);
int mdm_optimizer_update_ema(maskdm_optimizer *o);

#endif
