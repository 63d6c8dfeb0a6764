/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Of kinds "network" and "routing": a network of a case in a trainer, its prediction and its gradients held to the
 * case's.
 */
#ifndef TESTS_REFERENCE_ARCHITECTURE_H
#define TESTS_REFERENCE_ARCHITECTURE_H

#include "case.h"

struct architecture {
    maskdm_model *model;
    maskdm_trainer *trainer;
    int64_t batch, height, width, patch, outputs;
    float *x; /* channels last */
    double *times;
    int32_t *labels;
};

/* A way to bring a program's own arguments: options of the library's network; 0, or -1 with c->skipped saying why
 * not. */
typedef int (*architecture_describe)(struct reference_case *c, char *text, size_t size);
int architecture_dit(struct reference_case *c, char *text, size_t size);

/* The library's network with the case's weights, and its micro-batch: 0, or -1. */
int architecture_open(struct reference_case *c, struct architecture *s, const char *network,
                      architecture_describe describe);
void architecture_close(struct architecture *s);
/* The forward pass of the trainer against expect.output; 0, or -1. */
int architecture_forward(struct reference_case *c, struct architecture *s);
/* What a model makes of the inputs without the trainer, against a tensor. */
void architecture_predict(struct reference_case *c, const struct architecture *s, maskdm_model *model,
                          const char *name);
/* Backward from input.cotangent, and every gradient. */
void architecture_backward(struct reference_case *c, struct architecture *s);

#endif
