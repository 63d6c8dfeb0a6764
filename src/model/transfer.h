/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model for other images from a model: of another size, cut into other patches, with other channels or classes.
 */
#ifndef MASKDM_MODEL_TRANSFER_H
#define MASKDM_MODEL_TRANSFER_H

#include "model/model.h"

/* Called for every parameter of the new model, in order, and then for those of the old one that have no place there.
 */
struct mdm_transfer_report {
    maskdm_transfer_callback call; /* NULL: nobody wants to know */
    void *user;
};

/* The options of a network that such a model may have others of; NULL past the last. */
const char *mdm_transfer_option(int i);
/* The model's options, with what is set of these in `given`, which may be a composite; and whether that made them
 * others. */
int mdm_transfer_options(maskdm_options **out, int *changed, const maskdm_model *model, const maskdm_options *given);

/* Its options are `options`, which differ from the model's in nothing but those and what is for training only; its
 * labels have the names `labels`, and go on from those of the model that mdm_classes_map() tells. What is new in it
 * is drawn from `seed`. MASKDM_ESHAPE, with the parameter and both shapes, where nothing tells how one becomes
 * another. */
int mdm_transfer(maskdm_model **out, const maskdm_model *model, const maskdm_options *options,
                 const struct mdm_labels *labels, uint64_t seed, struct mdm_transfer_report report);

#endif
