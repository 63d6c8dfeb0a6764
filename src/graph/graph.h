/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program is a straight list of coarse operations, recorded once for fixed shapes, planned once, run many
 * times. Backward is the same list from the end. There is no control flow and no aliasing between values.
 *
 * Recording has no checks in the model's code: the first failure (a shape that does not fit, no memory) is kept
 * with its text, later calls return MASKDM_NONE, and maskdm_graph_plan() reports it.
 */
#ifndef MASKDM_GRAPH_GRAPH_H
#define MASKDM_GRAPH_GRAPH_H

#include "backend/backend.h"
#include "util/error.h"
#include "util/json.h"

typedef int maskdm_val; /* index of a value in its graph */
#define MASKDM_NONE (-1)

/* INPUT: filled by the caller, no gradient (unless asked by maskdm_graph_want_gradient). PARAM: lies in a
 * parameter block. ACT: has a gradient. AUX: only the op's own backward reads it. */
enum maskdm_role { MASKDM_INPUT, MASKDM_PARAM, MASKDM_ACT, MASKDM_AUX };

struct maskdm_value {
    struct maskdm_shape shape;
    enum maskdm_dtype dtype;
    enum maskdm_role role;
    int param; /* index in the layout, for PARAM */
    int node;  /* whose result it is; -1: of none */
    int kept;  /* an output: its bytes and its gradient live for the whole run */
    int wants_gradient;
    size_t numel, at, grad_at; /* offsets in the arena (or block, for PARAM), bytes; SIZE_MAX: no storage */
    size_t again_at;           /* where backward finds it when it is made anew there; SIZE_MAX: at `at` */
};

struct maskdm_graph;
struct maskdm_node;

/* Facts about an op that the planner needs, and names for messages. Bits are input or output positions. In backward
 * a call has NULL for every forward value that is not listed in reads_in and reads_out. */
struct maskdm_op {
    const char *name;
    const char *inputs; /* "x w b?": names of the inputs, "?" marks one that may be absent */
    enum maskdm_op_id id;
    unsigned reads_in, reads_out; /* forward values that backward looks at */
    unsigned optional_out;        /* results that may go unused */
    /* Results that are cheap to make anew from remake_in and remake_out, so that they give up their bytes between
     * forward and the first backward that reads them. The op's own backward does not read them. */
    unsigned remade_out, remake_in, remake_out;
    /* Matrix-product FLOPs of one pass (a multiply-add is two); NULL: none. Recomputation does not count. */
    double (*flops)(const struct maskdm_graph *g, const struct maskdm_node *n, int backward);
};

struct maskdm_node {
    const struct maskdm_op *op;
    const struct maskdm_kernel *kernel; /* found when planning */
    maskdm_val in[MASKDM_MAX_IN], out[MASKDM_MAX_OUT];
    int64_t attr[2];
    unsigned char add[MASKDM_MAX_IN];
    int backward;     /* some gradient flows through it */
    unsigned remakes; /* inputs that are made anew before its backward, which is the first to read them */
    size_t scratch_at[2], scratch_bytes; /* forward, backward */
    double seconds[2]; /* forward, backward, when profiling */
};

enum maskdm_plan_flag {
    MASKDM_PLAN_TRAIN = 1,   /* with backward */
    MASKDM_PLAN_UNSHARED = 2 /* no two values meet in memory: the yardstick of tests */
};

struct maskdm_graph {
    struct maskdm_backend *backend;
    struct maskdm_params *layout; /* grows while recording the first program of a model */
    enum maskdm_dtype dtype;      /* MASKDM_F32, or MASKDM_F64 in gradient tests */
    struct maskdm_value *val;
    struct maskdm_node *node;
    int n_val, n_node, cap_val, cap_node;
    int64_t images; /* above 0: products are cut per image; a call's row_group is its result's rows / images */
    struct maskdm_failure failure; /* first one while recording */
    char scope[128];               /* prefix of parameter names, e.g. "encoder.in_blocks.0." */
    int flags, planned, profiling;
    size_t arena_bytes, unplanned_bytes; /* after planning */
    unsigned char *arena;                /* given by maskdm_graph_bind() */
};

void maskdm_graph_init(struct maskdm_graph *g, struct maskdm_backend *backend, struct maskdm_params *layout,
                       enum maskdm_dtype dtype);
void maskdm_graph_free(struct maskdm_graph *g); /* not the arena, which the caller lent */

/* ---- recording ---- */
maskdm_val maskdm_graph_input(struct maskdm_graph *g, enum maskdm_dtype dtype, struct maskdm_shape shape);
void maskdm_graph_want_gradient(struct maskdm_graph *g, maskdm_val input); /* of an input, for tests */
/* A parameter by its name inside the scope; shared when asked for twice. */
maskdm_val maskdm_graph_param(struct maskdm_graph *g, const char *name, struct maskdm_shape shape,
                              enum maskdm_init init, double scale);
void maskdm_graph_scope(struct maskdm_graph *g, const char *format, ...) MASKDM_PRINTF(2, 3); /* "" to clear */
void maskdm_graph_output(struct maskdm_graph *g, maskdm_val v);
struct maskdm_shape maskdm_graph_shape(const struct maskdm_graph *g, maskdm_val v); /* empty for MASKDM_NONE */
/* For ops/: a node on its inputs, NULL once recording has failed or when a needed input is absent; then its results
 * in order, each becoming the next output of the last node. No value may be two inputs of one node, so that
 * kernels may write all gradients at once. */
struct maskdm_node *maskdm_graph_node(struct maskdm_graph *g, const struct maskdm_op *op, int count,
                                      const maskdm_val *in);
maskdm_val maskdm_graph_result(struct maskdm_graph *g, enum maskdm_role role, struct maskdm_shape shape);
/* Keep the first failure, with the scope behind it; always MASKDM_NONE. */
maskdm_val maskdm_graph_fail(struct maskdm_graph *g, int code, const char *format, ...) MASKDM_PRINTF(3, 4);

/* ---- planning: arithmetic only, touches no tensor memory ---- */
/* May be called again with other flags; the last plan counts. */
int maskdm_graph_plan(struct maskdm_graph *g, int flags);

/* ---- running ---- */
void maskdm_graph_bind(struct maskdm_graph *g, void *arena);             /* arena_bytes, 64-byte aligned */
void *maskdm_graph_data(const struct maskdm_graph *g, maskdm_val v);     /* not for parameters */
/* Of an output or wanted input; NULL where no gradient flows. */
void *maskdm_graph_gradient(const struct maskdm_graph *g, maskdm_val v);
/* Whether backward, as planned, computes the gradient of v. */
int maskdm_graph_flows(const struct maskdm_graph *g, maskdm_val v);
/* weights, gradients: blocks of the layout, in the graph's dtype. cancel may be NULL; it is looked at between
 * operations and inside long ones: MASKDM_ECANCELED, values are then undefined, gradients partly summed. */
int maskdm_graph_forward(struct maskdm_graph *g, const void *weights, const atomic_int *cancel);
/* From the gradients that the caller wrote at maskdm_graph_gradient() of every output. Parameter gradients are added.
 */
int maskdm_graph_backward(struct maskdm_graph *g, const void *weights, void *gradients, const atomic_int *cancel);

/* ---- looking ---- */
/* One line per node: op, shapes, bytes, FLOPs, seconds when profiled, and a line of sums. */
void maskdm_graph_dump(const struct maskdm_graph *g, struct maskdm_text *out);
/* Of matrix products, in the forward pass or, as planned, in the backward pass alone. */
double maskdm_graph_flops(const struct maskdm_graph *g, int backward);

#endif
