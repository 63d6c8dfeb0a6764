/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images enter and predictions leave a program as float, whatever it computes in.
 */
#include "model/network.h"
#include "ops/ops.h"

static int is_narrow(const struct mdm_graph *g)
{
    return g->dtype != mdm_dtype_wide(g->dtype);
}

void mdm_ports_image(struct mdm_graph *g, struct mdm_ports *ports, struct mdm_shape shape)
{
    ports->image = mdm_graph_input(g, mdm_dtype_wide(g->dtype), shape);
    ports->seen = is_narrow(g) ? mdm_narrow(g, ports->image) : ports->image;
}

void mdm_ports_output(struct mdm_graph *g, struct mdm_ports *ports, mdm_val y)
{
    ports->output = is_narrow(g) ? mdm_widen(g, y) : y;
    mdm_graph_output(g, ports->output);
}
