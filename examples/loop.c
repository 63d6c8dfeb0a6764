/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A training loop of one's own: the library draws batches and runs the network forward and backward; the loss, here a
 * Huber loss, and the schedule of the learning rate are ours.
 *
 *     loop IMAGES STEPS
 */
#include <maskdm/maskdm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Mean Huber loss of the visible patches, and its gradient. */
static double huber(const float *prediction, const float *target, int64_t count, float *gradient)
{
    double loss = 0;

    for (int64_t i = 0; i < count; i++) {
        double d = prediction[i] - target[i];

        loss += (fabs(d) < 1 ? 0.5 * d * d : fabs(d) - 0.5) / (double)count;
        gradient[i] = (float)(fmax(-1, fmin(1, d)) / (double)count);
    }
    return loss;
}

/* Down to nothing in the form of a cosine. */
static double rate(long step, long steps)
{
    return 1e-3 * 0.5 * (1 + cos(3.14159265358979 * (double)step / (double)steps));
}

static int train(maskdm_trainer *tr, maskdm_optimizer *optimizer, maskdm_data *data, long steps)
{
    float *gradient = NULL;
    int rc = MASKDM_OK;

    for (long step = 1; rc == MASKDM_OK && step <= steps; step++) {
        const float *prediction, *target;
        int64_t count;
        double loss;

        if ((rc = maskdm_trainer_draw(tr, data, 0)) < 0 || (rc = maskdm_trainer_forward(tr)) < 0)
            break;
        prediction = maskdm_trainer_view(tr, "prediction", &count);
        target = maskdm_trainer_view(tr, "target", NULL);
        if (!gradient)
            gradient = malloc((size_t)count * sizeof *gradient);
        if (!prediction || !target || !gradient) {
            rc = MASKDM_ENOMEM;
            break;
        }
        loss = huber(prediction, target, count, gradient);
        if ((rc = maskdm_trainer_backward(tr, gradient)) < 0 ||
            (rc = maskdm_optimizer_set_lr(optimizer, rate(step, steps))) < 0 ||
            (rc = maskdm_optimizer_step(optimizer)) < 0 || (rc = maskdm_optimizer_update_ema(optimizer)) < 0)
            break;
        if (step % 10 == 0 || step == steps)
            printf("step %ld, loss %.4f, gradient norm %.3f\n", step, loss, maskdm_optimizer_grad_norm(optimizer));
    }
    free(gradient);
    return rc;
}

/* Options of one kind from one line of text. */
static int options(maskdm_options **out, const char *kind, const char *text)
{
    int rc = maskdm_options_create(out, kind);
    return rc < 0 ? rc : maskdm_options_parse(*out, text);
}

int main(int argc, char **argv)
{
    maskdm_device *dev = NULL;
    maskdm_options *network = NULL, *folder = NULL, *masking = NULL, *training = NULL;
    maskdm_scheduler *scheduler = NULL;
    maskdm_model *model = NULL;
    maskdm_mask *mask = NULL;
    maskdm_optimizer *optimizer = NULL;
    maskdm_data *data = NULL;
    maskdm_trainer *tr = NULL;
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: loop IMAGES STEPS\n");
        return 2;
    }
    if ((rc = options(&network, "uvit", "image_size=32 patch_size=4 dim=64 depth=3 heads=2")) == MASKDM_OK &&
        (rc = options(&folder, "folder", "image_size=32")) == MASKDM_OK &&
        (rc = options(&masking, "mask", "type=patch ratio=0.5")) == MASKDM_OK &&
        (rc = options(&training, "trainer", "batch_size=32 seed=1")) == MASKDM_OK &&
        (rc = maskdm_device_open(&dev, "cpu", NULL)) == MASKDM_OK &&
        (rc = maskdm_data_open_folder(&data, dev, argv[1], folder, NULL)) == MASKDM_OK &&
        (rc = maskdm_scheduler_create(&scheduler, NULL)) == MASKDM_OK &&
        (rc = maskdm_model_create(&model, dev, "uvit", network, scheduler, 1)) == MASKDM_OK &&
        (rc = maskdm_mask_create(&mask, masking)) == MASKDM_OK &&
        (rc = maskdm_optimizer_create(&optimizer, NULL, NULL)) == MASKDM_OK &&
        (rc = maskdm_trainer_create(&tr, model, mask, optimizer, training, NULL)) == MASKDM_OK)
        rc = train(tr, optimizer, data, strtol(argv[2], NULL, 10));
    if (rc < 0)
        fprintf(stderr, "loop: %s\n", maskdm_last_error());
    maskdm_trainer_release(&tr);
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&mask);
    maskdm_model_release(&model);
    maskdm_scheduler_release(&scheduler);
    maskdm_data_release(&data);
    maskdm_device_release(&dev);
    maskdm_options_release(&network);
    maskdm_options_release(&folder);
    maskdm_options_release(&masking);
    maskdm_options_release(&training);
    return rc < 0;
}
