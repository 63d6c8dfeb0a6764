/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A DiT's settings as diffusers has them.
 */
#include "run/export.h"

#include "base/error.h"
#include "model/options.h"
#include "text/text.h"

/* What it could not be there. */
int mdm_export_dit_check(const maskdm_model *model)
{
    const struct mdm_geometry *g = &model->geometry;
    struct mdm_dit_options d;

    mdm_options_read(model->options, &mdm_dit_options, &d);
    if (d.dit_form != MDM_DIT_DIFFUSERS)
        return mdm_fail(
            MASKDM_EINVAL,
            "diffusers spaces the frequencies of the time otherwise than DiT's authors, so that these weights "
            "would predict something else there: a network of dit_form diffusers goes out, or .pt for the "
            "authors' program");
    if (g->height != g->width)
        return mdm_fail(MASKDM_EINVAL,
                        "the model is for images of %lld x %lld, diffusers' transformer for square ones",
                        (long long)g->height, (long long)g->width);
    if (!g->classes)
        return mdm_fail(MASKDM_EINVAL,
                        "diffusers' transformer always takes a label, and this network has no classes");
    if (d.mlp_ratio != 4)
        return mdm_fail(MASKDM_EINVAL, "mlp_ratio is %g, and 4 in diffusers", d.mlp_ratio);
    return MASKDM_OK;
}

void mdm_export_dit_settings(struct mdm_text *t, const maskdm_model *model)
{
    const struct mdm_geometry *g = &model->geometry;
    struct mdm_dit_options d;

    mdm_options_read(model->options, &mdm_dit_options, &d);
    mdm_text_add(t, "{\n  \"_class_name\": \"Transformer2DModel\",\n  " MDM_EXPORT_VERSION); /* every version's */
    mdm_export_add_int(t, "sample_size", g->height);
    mdm_export_add_int(t, "patch_size", g->patch);
    mdm_export_add_int(t, "in_channels", g->channels);
    mdm_export_add_int(t, "out_channels", g->outputs);
    mdm_export_add_int(t, "num_layers", d.depth);
    mdm_export_add_int(t, "num_attention_heads", d.heads);
    mdm_export_add_int(t, "attention_head_dim", d.dim / d.heads);
    mdm_export_add_int(t, "num_embeds_ada_norm", g->classes);
    mdm_export_add_bool(t, "attention_bias", 1);
    mdm_export_add_word(t, "activation_fn", "gelu-approximate");
    mdm_export_add_word(t, "norm_type", "ada_norm_zero");
    mdm_export_add_bool(t, "norm_elementwise_affine", 0);
    mdm_text_add(t, "\n}\n");
}
