/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training in one call: pre-train on masked images, fine-tune on whole ones, sample a grid.
 *
 *     train IMAGES OUT [NAME=VALUE ...]         options of kind "pretrain", e.g. steps=2000 dim=256
 */
#include <maskdm/maskdm.h>

#include <stdio.h>
#include <string.h>

static int show(void *user, const struct maskdm_progress *p)
{
    (void)user;
    if (p->files)
        printf("%ld of %ld images read\n", (long)p->files_read, (long)p->files);
    else if (p->steps && p->step % 50 == 0)
        printf("step %ld of %ld, loss %.4f\n", (long)p->step, (long)p->steps, p->loss);
    return 0;
}

static int pretrain(const char *images, const char *out, int argc, char **argv, maskdm_control *control)
{
    maskdm_options *o;
    char run[1024];
    int rc = maskdm_options_create(&o, "pretrain");

    snprintf(run, sizeof run, "%s/pretrained", out);
    if (rc == MASKDM_OK)
        rc = maskdm_options_parse(o, "image_size=32 patch_size=4 dim=128 depth=5 heads=4 prediction=x0 mask=block "
                                     "mask_ratio=0.75 mask_block_size=2 batch_size=64 steps=500");
    if (rc == MASKDM_OK)
        rc = maskdm_options_set(o, "data", images);
    if (rc == MASKDM_OK)
        rc = maskdm_options_set(o, "out", run);
    for (int i = 0; rc == MASKDM_OK && i < argc; i++)
        rc = maskdm_options_parse(o, argv[i]);
    if (rc == MASKDM_OK)
        rc = maskdm_pretrain(NULL, o, NULL, NULL, control);
    maskdm_options_release(&o);
    return rc;
}

/* The network and the scheduler come from the file; the trained model also comes back as a handle. */
static int finetune(maskdm_model **model, const char *images, const char *out, maskdm_control *control)
{
    maskdm_options *o;
    char text[4096];
    int rc = maskdm_options_create(&o, "finetune");

    snprintf(
        text, sizeof text,
        "init=\"%s/pretrained/model.safetensors\" data=\"%s\" out=\"%s/finetuned\" batch_size=16 steps=100 lr=1e-4",
        out, images, out);
    if (rc == MASKDM_OK)
        rc = maskdm_options_parse(o, text);
    if (rc == MASKDM_OK)
        rc = maskdm_finetune(model, o, NULL, NULL, control);
    maskdm_options_release(&o);
    return rc;
}

int main(int argc, char **argv)
{
    maskdm_control *control;
    maskdm_model *model = NULL;
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: train IMAGES OUT [NAME=VALUE ...]\n");
        return 2;
    }
    rc = maskdm_control_create(&control);
    if (rc == MASKDM_OK) {
        maskdm_control_set_progress(control, show, NULL);
        rc = pretrain(argv[1], argv[2], argc - 3, argv + 3, control);
    }
    if (rc == MASKDM_OK)
        rc = finetune(&model, argv[1], argv[2], control);
    if (rc == MASKDM_OK)
        printf("%ld parameters in %s/finetuned/model.safetensors\n", (long)maskdm_model_parameter_elements(model),
               argv[2]);
    else
        fprintf(stderr, "train: %s: %s\n", maskdm_status_name(rc), maskdm_last_error());
    maskdm_model_release(&model);
    maskdm_control_release(&control);
    return rc < 0;
}
