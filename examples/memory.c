/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images from memory: a host that has its pixels already lends them, trains, and samples into its own buffer.
 *
 *     memory STEPS OUT.png
 */
#include <maskdm/maskdm.h>

#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 256, SIDE = 16, SAMPLES = 8 };

/* A bright disc at a random place on a dark ground. */
static void paint(unsigned char *pixel)
{
    int cx = 4 + rand() % 8, cy = 4 + rand() % 8, radius = 2 + rand() % 3;

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            pixel[y * SIDE + x] = (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius ? 230 : 20;
}

static int options(maskdm_options **out, const char *kind, const char *text)
{
    int rc = maskdm_options_create(out, kind);
    return rc < 0 ? rc : maskdm_options_parse(*out, text);
}

static int train(maskdm_model **out, maskdm_device *dev, maskdm_data *data, long steps)
{
    maskdm_options *network = NULL, *training = NULL, *schedule = NULL;
    maskdm_scheduler *scheduler = NULL;
    maskdm_model *model = NULL;
    maskdm_optimizer *optimizer = NULL;
    maskdm_trainer *tr = NULL;
    int rc;

    if ((rc = options(&network, "uvit", "image_size=16 channels=1 patch_size=4 dim=64 depth=3 heads=2")) == 0 &&
        (rc = options(&training, "trainer", "batch_size=32")) == 0 &&
        (rc = options(&schedule, "scheduler", "prediction=x0")) == 0 &&
        (rc = maskdm_scheduler_create(&scheduler, schedule)) == 0 &&
        (rc = maskdm_model_create(&model, dev, "uvit", network, scheduler, 0)) == 0 &&
        (rc = maskdm_optimizer_create(&optimizer, NULL, NULL)) == 0 &&
        (rc = maskdm_trainer_create(&tr, model, NULL, optimizer, training, NULL)) == 0) {
        while (rc == 0 && maskdm_trainer_steps(tr) < steps)
            rc = maskdm_trainer_step(tr, data);
        if (rc == 0)
            rc = maskdm_trainer_model(out, tr);
    }
    maskdm_trainer_release(&tr);
    maskdm_optimizer_release(&optimizer);
    maskdm_model_release(&model);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&network);
    maskdm_options_release(&training);
    maskdm_options_release(&schedule);
    return rc;
}

/* Samples one below the other in one picture: packed images are just that. */
static int sample(maskdm_model *model, const char *path)
{
    static unsigned char strip[SAMPLES][SIDE * SIDE];
    maskdm_sampler *sampler = NULL;
    maskdm_image *image = NULL;
    int rc = maskdm_sampler_create(&sampler, model, MASKDM_WEIGHTS_EMA, NULL, NULL);

    if (rc == 0)
        rc = maskdm_sampler_run(sampler, SAMPLES, NULL, NULL, MASKDM_SAMPLE_U8, strip, 0, 0);
    if (rc == 0)
        rc = maskdm_image_create(&image, SAMPLES * SIDE, SIDE, 1, MASKDM_SAMPLE_U8, strip, 0);
    if (rc == 0)
        rc = maskdm_image_write_png(image, path, 8);
    maskdm_image_release(&image);
    maskdm_sampler_release(&sampler);
    return rc;
}

int main(int argc, char **argv)
{
    static unsigned char pixels[COUNT][SIDE * SIDE];
    maskdm_device *dev = NULL;
    maskdm_data *data = NULL;
    maskdm_model *model = NULL;
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: memory STEPS OUT.png\n");
        return 2;
    }
    for (int i = 0; i < COUNT; i++)
        paint(pixels[i]);
    if ((rc = maskdm_device_open(&dev, "cpu", NULL)) == 0 &&
        (rc = maskdm_data_create_memory(&data, dev, COUNT, SIDE, SIDE, 1, MASKDM_SAMPLE_U8, pixels, 0, 0, NULL, NULL,
                                        NULL)) == 0 &&
        (rc = train(&model, dev, data, strtol(argv[1], NULL, 10))) == 0)
        rc = sample(model, argv[2]);
    if (rc < 0)
        fprintf(stderr, "memory: %s\n", maskdm_last_error());
    maskdm_model_release(&model);
    maskdm_data_release(&data);
    maskdm_device_release(&dev);
    return rc < 0;
}
