/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program is a straight list of coarse operations, recorded once for fixed shapes, planned once, run many
 * times. Backward is the same list from the end. There is no control flow and no aliasing between values.
 *
 * Recording has no checks in the model's code: the first failure (a shape that does not fit, no memory) is kept
 * with its text, later calls return MDM_NONE, and mdm_graph_plan() reports it.
 */
#ifndef MASKDM_GRAPH_GRAPH_H
#define MASKDM_GRAPH_GRAPH_H

#include "backend/backend.h"
#include "base/error.h"
#include "text/text.h"

typedef int mdm_val;    /* index of a value in its graph */
#define MDM_NONE (-1)

/* INPUT: filled by the caller, no gradient (unless asked by mdm_graph_want_gradient). PARAM: lies in a
 * parameter block. ACT: has a gradient. AUX: only the op's own backward reads it. */
enum mdm_role { MDM_INPUT, MDM_PARAM, MDM_ACT, MDM_AUX };

struct mdm_value {
    struct mdm_shape shape;
    enum mdm_dtype dtype, gradient; /* of its elements, and of its gradient's */
    enum mdm_role role;
    int param; /* index in the layout, for PARAM */
    int node;  /* whose result it is; -1: of none */
    int kept;  /* an output: its bytes and its gradient live for the whole run */
    int wants_gradient;
    size_t numel, at, grad_at; /* offsets in the arena (or block, for PARAM), bytes; SIZE_MAX: no storage */
    size_t again_at;           /* where backward finds it when it is made anew there; SIZE_MAX: at `at` */
};

struct mdm_graph;
struct mdm_node;

/* Facts about an op that the planner needs, and names for messages. Bits are input or output positions. In backward
 * a call has NULL for every forward value that is not listed in reads_in and reads_out. */
struct mdm_op {
    const char *name;
    const char *inputs; /* "x w b?": names of the inputs, "?" marks one that may be absent */
    enum mdm_op_id id;
    unsigned reads_in, reads_out; /* forward values that backward looks at */
    unsigned optional_out;        /* results that may go unused */
    /* Where the program's type is narrower than float: inputs whose gradient is float all the same, as those of the
     * weights are; results that are float; and results that stand for a weight, which such inputs take. */
    unsigned weights, wide_out, weight_out, narrow_aux; /* narrow_aux: and those for backward alone that are not */
    /* Of the inputs that may be parameters stored in 16 bits: the one, as a bit; a call says of which type it is. */
    unsigned storable;
    /* Results that are cheap to make anew from remake_in and remake_out, so that they give up their bytes between
     * forward and the first backward that reads them. The op's own backward does not read them. */
    unsigned remade_out, remake_in, remake_out;
    /* Two inputs whose gradients are the same numbers, as those of a sum's terms are: where nobody else has a part in
     * either they have the same bytes, and both pointers of the call are one. */
    unsigned twins;
    /* Matrix-product FLOPs of one pass (a multiply-add is two); NULL: none. Recomputation does not count. */
    double (*flops)(const struct mdm_graph *g, const struct mdm_node *n, int backward);
};

struct mdm_node {
    const struct mdm_op *op;
    const struct mdm_kernel *kernel;    /* found when planning */
    mdm_val in[MDM_MAX_IN], out[MDM_MAX_OUT];
    int64_t attr[MDM_MAX_ATTR];
    double constant[MDM_MAX_CONSTANT];
    unsigned char add[MDM_MAX_IN];
    int backward;     /* some gradient flows through it */
    unsigned remakes; /* inputs that are made anew before its backward, which is the first to read them */
    size_t scratch_at[2], scratch_bytes; /* forward, backward */
    double seconds[2]; /* forward, backward, when profiling */
};

/* A pass that the device has noted, to be played when it comes with the same blocks (graph/pass.c). */
struct mdm_recording {
    const void *weights, *gradients; /* of the last pass */
    int passes;                      /* with these so far */
    void *recorded;                  /* NULL: nothing yet */
};

enum mdm_plan_flag {
    MDM_PLAN_TRAIN = 1,      /* with backward */
    MDM_PLAN_UNSHARED = 2 /* no two values meet in memory: the yardstick of tests */
};

struct mdm_graph {
    struct mdm_backend *backend;
    struct mdm_params *layout;    /* grows while recording the first program of a model */
    int told;                     /* parameters that an earlier program declared: only read, so that several threads
                                     may record programs of one model */
    enum mdm_dtype dtype;         /* MDM_F32, or what the device computes in, or MDM_F64 in gradient tests */
    struct mdm_value *val;
    struct mdm_node *node;
    int n_val, n_node, cap_val, cap_node;
    int64_t images; /* above 0: products are cut per image; a call's row_group is its result's rows / images */
    int keeps;      /* nothing is made anew in backward, which takes more memory and less time */
    struct mdm_failure failure;    /* first one while recording */
    /* What every parameter goes through where it is asked for, and its answer is what an operation gets; NULL:
     * nothing. */
    mdm_val (*adapt)(struct mdm_graph *g, mdm_val param);
    char scope[128];               /* prefix of parameter names, e.g. "encoder.in_blocks.0." */
    int flags, planned, profiling;
    size_t arena_bytes, unplanned_bytes; /* after planning */
    size_t narrow_at;                    /* where weights of the program's type lie; SIZE_MAX: they are float's */
    unsigned char *arena;                /* given by mdm_graph_bind() */
    int steady;                          /* weights stay as they are: mdm_graph_hold_weights() */
    const void *narrowed;                /* what the former were made of; NULL: nothing */
    struct mdm_recording recording[2];   /* forward, backward */
    void (*passed)(void *user, int node); /* mdm_graph_watch() */
    void *passed_user;
};

void mdm_graph_init(struct mdm_graph *g, struct mdm_backend *backend, struct mdm_params *layout,
                    enum mdm_dtype dtype);
void mdm_graph_free(struct mdm_graph *g);       /* not the arena, which the caller lent */

/* ---- recording ---- */
mdm_val mdm_graph_input(struct mdm_graph *g, enum mdm_dtype dtype, struct mdm_shape shape);
void mdm_graph_want_gradient(struct mdm_graph *g, mdm_val input);          /* of an input, for tests */
/* A parameter by its name inside the scope; shared when asked for twice. */
mdm_val mdm_graph_param(struct mdm_graph *g, const char *name, struct mdm_shape shape,
                        enum mdm_init init, double scale);
/* The same for one that is never trained: no gradient flows to it. */
mdm_val mdm_graph_frozen(struct mdm_graph *g, const char *name, struct mdm_shape shape,
                         enum mdm_init init, double scale);

/* What follows says what a parameter is. The program that declares it is the one that is heard. */
void mdm_graph_freeze(struct mdm_graph *g, mdm_val param);
/* What it is to the images; it is returned. */
mdm_val mdm_graph_means(struct mdm_graph *g, mdm_val param, enum mdm_meaning meaning);
/* The same of one that was asked for, by its whole name. */
void mdm_graph_means_name(struct mdm_graph *g, const char *name, enum mdm_meaning meaning);
/* That it is a hidden weight of so many matrices (mdm_param.parts); `param` itself. */
mdm_val mdm_graph_hidden(struct mdm_graph *g, mdm_val param, int parts);
void mdm_graph_scope(struct mdm_graph *g, const char *format, ...) MDM_PRINTF(2, 3);          /* "" to clear */
void mdm_graph_output(struct mdm_graph *g, mdm_val v);
struct mdm_shape mdm_graph_shape(const struct mdm_graph *g, mdm_val v);             /* empty for MDM_NONE */
/* For ops/: a node on its inputs, NULL once recording has failed or when a needed input is absent; then its results
 * in order, each becoming the next output of the last node. No value may be two inputs of one node, so that
 * kernels may write all gradients at once. */
struct mdm_node *mdm_graph_node(struct mdm_graph *g, const struct mdm_op *op, int count,
                                const mdm_val *in);
mdm_val mdm_graph_result(struct mdm_graph *g, enum mdm_role role, struct mdm_shape shape);
/* Keep the first failure, with the scope behind it; always MDM_NONE. */
mdm_val mdm_graph_fail(struct mdm_graph *g, int code, const char *format, ...) MDM_PRINTF(3, 4);

/* That the layout, which this program was the first to tell, has its parameters stored in that type of 16 bits, where
 * all operations that they go into read them so. Such a program goes forward only. */
int mdm_graph_store(struct mdm_graph *g, enum mdm_dtype type);

/* ---- planning: arithmetic only, touches no tensor memory ---- */
/* May be called again with other flags; the last plan counts. */
int mdm_graph_plan(struct mdm_graph *g, int flags);

/* ---- running ---- */
void mdm_graph_bind(struct mdm_graph *g, void *arena);                   /* arena_bytes, 64-byte aligned */
void *mdm_graph_data(const struct mdm_graph *g, mdm_val v);              /* not for parameters */
/* Of an output or wanted input; NULL where no gradient flows. */
void *mdm_graph_gradient(const struct mdm_graph *g, mdm_val v);
/* Whether backward, as planned, computes the gradient of v. */
int mdm_graph_flows(const struct mdm_graph *g, mdm_val v);
/* weights, gradients: blocks of the layout, of float, or of double where the graph's dtype is. cancel may be NULL; it
 * is looked at between operations and inside long ones: MASKDM_ECANCELED, values are then undefined, gradients partly
 * summed. */
int mdm_graph_forward(struct mdm_graph *g, const void *weights, const atomic_int *cancel);
/* Whether, from now on, the weights stay as they are and nobody else works in the arena, so that what is made of them
 * once serves all passes. Called again where they may have become others. */
void mdm_graph_hold_weights(struct mdm_graph *g, int steady);
/* From the gradients that the caller wrote at mdm_graph_gradient() of every output. Parameter gradients are added.
 */
int mdm_graph_backward(struct mdm_graph *g, const void *weights, void *gradients, const atomic_int *cancel);

/* Backward, where it is walked, tells when operation `node` is done, and so all behind it; NULL: nobody any more. */
void mdm_graph_watch(struct mdm_graph *g, void (*passed)(void *user, int node), void *user);
/* Of each parameter of the layout, the operation whose backward, as planned, is the last to add to its gradient, or
 * the number of all where none does. */
void mdm_graph_final(const struct mdm_graph *g, int *node);

/* ---- looking ---- */
/* One line per node: op, shapes, bytes, FLOPs, seconds when profiled, and a line of sums. */
void mdm_graph_dump(const struct mdm_graph *g, struct mdm_text *out);
/* Of matrix products, in the forward pass or, as planned, in the backward pass alone. */
double mdm_graph_flops(const struct mdm_graph *g, int backward);

#endif
