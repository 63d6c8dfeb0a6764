/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens of two kinds of patches, approximation and details, as MaskDM's first program makes them and takes them
 * apart again.
 */
#ifndef MASKDM_MODEL_WAVELET_H
#define MASKDM_MODEL_WAVELET_H

#include "model/network.h"

/* [B,K,D] of the visible patches, those of the approximation first, without their positions; the parameters stand
 * under the scope that is set. */
mdm_val mdm_wavelet_embed(struct mdm_graph *g, const struct mdm_geometry *geo, const struct mdm_extent *e,
                          const struct mdm_ports *in, int64_t dim);
/* The prediction of both from [B,K,D]. */
mdm_val mdm_wavelet_predict(struct mdm_graph *g, const struct mdm_geometry *geo, const struct mdm_extent *e,
                            mdm_val x, int64_t dim);

#endif
