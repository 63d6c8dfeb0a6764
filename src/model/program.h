/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network recorded and planned for B images of K visible patches, with an arena of its own on the device. It holds
 * no weights: trainers run it on their own block, samplers on a model's, and EMA weights are just another block.
 */
#ifndef MASKDM_MODEL_PROGRAM_H
#define MASKDM_MODEL_PROGRAM_H

#include "model/model.h"

enum mdm_program_use {
    MDM_PROGRAM_PREDICT,    /* forward only; products are cut per image, so that no image depends on its batch */
    MDM_PROGRAM_TRAIN,      /* with backward */
    MDM_PROGRAM_TRAIN_INPUT /* which goes as far as the image */
};

struct mdm_program {
    maskdm_model *model; /* one reference: its layout, device and geometry, never its weights */
    struct mdm_graph graph;
    struct mdm_ports ports;
    struct mdm_extent extent;
    int64_t image_values;   /* H W C */
    int64_t output_values;  /* K p p outputs */
    int32_t *every;         /* [B,K] 0, 1, ...: the index when all patches are visible, else NULL */
    int32_t *null_labels;   /* [B] -1, or NULL without a port for labels */
    void *arena;
    size_t arena_bytes; /* counted against the device's limit; 0 in a host's arena */
};

/* Plans first, so that nothing is taken when the arena would exceed the device's limit. */
int mdm_program_create(struct mdm_program **out, maskdm_model *model, struct mdm_extent extent,
                       enum mdm_program_use use);
/* The same in the arena of `host`, which must be large enough and outlive it; running one spoils the other's values.
 */
int mdm_program_create_in(struct mdm_program **out, const struct mdm_program *host, struct mdm_extent extent,
                          enum mdm_program_use use);
void mdm_program_release(struct mdm_program **program);
/* Bytes of arena that such a program would take; nothing is allocated on the device. layout: empty or complete. */
int mdm_program_estimate(size_t *bytes, struct mdm_params *layout, maskdm_device *device,
                         const struct mdm_network *network, const maskdm_options *options,
                         struct mdm_extent extent, enum mdm_program_use use);

/* Fill the inputs: from device memory x_t[B,H,W,C], which may stand in mdm_program_input() already; from host memory
 * times[B], labels[B] (NULL: all null), index[B,K] (NULL: every patch). What the network has no port for is not
 * looked at. Before every forward, since the arena reuses their bytes. */
int mdm_program_set(struct mdm_program *p, const float *x_t, const double *times, const int32_t *labels,
                    const int32_t *index);
/* The same for those that take part in the extent's routes: of the visible patches, by their places among these, in
 * the order of mdm_extent_kept(). */
int mdm_program_set_kept(struct mdm_program *p, const int32_t *keep);
/* The same for dropped[B], where the extent drops paths. */
int mdm_program_set_dropped(struct mdm_program *p, const int32_t *dropped);
/* Whether keep[B,R] may be what it is given for one of them. */
int mdm_program_check_kept(const struct mdm_program *p, int64_t route, const int32_t *keep);
/* FLOPs of one forward and of one backward pass of a program that is not made: of its matrix products, a multiply-add
 * being two, without what is computed twice. */
struct mdm_program_flops {
    double forward, backward;
};
int mdm_program_count(struct mdm_program_flops *out, maskdm_model *model, struct mdm_extent extent,
                      enum mdm_program_use use);
/* weights, gradients: blocks of the model's layout. cancel may be NULL. The caller has entered the device. */
int mdm_program_forward(struct mdm_program *p, const float *weights, const atomic_int *cancel);
int mdm_program_backward(struct mdm_program *p, const float *weights, float *gradients, const atomic_int *cancel);
/* mdm_graph_hold_weights(). */
void mdm_program_hold_weights(struct mdm_program *p, int steady);
/* Device memory [B,H,W,C], until the next forward. */
float *mdm_program_input(const struct mdm_program *p);
/* Device memory [B,K,p*p*outputs]: the last forward's result, and where backward reads its gradient. */
float *mdm_program_output(const struct mdm_program *p);
float *mdm_program_output_gradient(const struct mdm_program *p);
/* Device memory [B,H,W,C] of the last backward, until the next forward; NULL where the program is not made for it. */
float *mdm_program_input_gradient(const struct mdm_program *p);
/* The whole image [B,H,W,C] from the last forward's result, every patch visible; device memory. */
int mdm_program_image(struct mdm_program *p, float *image);
/* The same with every channel of the prediction: [B,H,W,outputs]. */
int mdm_program_whole(struct mdm_program *p, float *out);
/* Of a network with learn_sigma: [B,H,W,C] of what it says of the variance, in the channels behind the image's. */
int mdm_program_variance(struct mdm_program *p, float *out);

#endif
