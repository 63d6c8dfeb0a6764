/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training in two stages on images in memory: most patches hidden, then whole images.
 *
 *     stages OUT
 */
#include <maskdm/maskdm.h>

#include <math.h>
#include <stdio.h>

enum { COUNT = 64, SIDE = 16 };

static unsigned char images[COUNT][SIDE][SIDE][3];

/* A disc somewhere, in some colour. */
static void draw(void)
{
    for (int i = 0; i < COUNT; i++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const double dx = x - 5 - i % 6, dy = y - 5 - i / 6 % 6;
                const int inside = sqrt(dx * dx + dy * dy) < 4 + i % 3;

                for (int c = 0; c < 3; c++)
                    images[i][y][x][c] = (unsigned char)(inside ? 255 - 40 * (i % 4) * (c == i % 3) : 32 * c);
            }
}

/* A line for each stage, and whatever else a run says. */
static void say(void *user, int level, const char *line)
{
    (void)user, (void)level;
    printf("%s\n", line);
}

static int train(const char *out, maskdm_options *o, maskdm_device *device, maskdm_control *control)
{
    maskdm_data *data = NULL;
    int status =
        maskdm_options_parse(o, "image_size=16 patch_size=2 dim=32 depth=3 heads=2 prediction=x0 batch_size=8 "
                                "lr=1e-3 val_share=0.1 seed=1");

    if (status == MASKDM_OK)
        status = maskdm_options_set(o, "out", out);
    if (status == MASKDM_OK)
        status = maskdm_options_add_stage(o, "mask=block mask_ratio=0.75 steps=60 warmup_steps=10 ema_start=10");
    if (status == MASKDM_OK)
        status = maskdm_options_add_stage(o, "mask=none steps=20 lr=5e-4 ema_start=5");
    if (status == MASKDM_OK)
        status = maskdm_data_create_memory(&data, device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_U8, images, 0, 0, NULL,
                                           NULL, NULL);
    if (status == MASKDM_OK)
        status = maskdm_train(NULL, o, data, NULL, control);
    maskdm_data_release(&data);
    return status;
}

int main(int argc, char **argv)
{
    maskdm_control *control = NULL;
    maskdm_options *o = NULL;
    maskdm_device *device = NULL;
    int status;

    if (argc != 2) {
        fprintf(stderr, "usage: stages OUT\n");
        return 2;
    }
    draw();
    status = maskdm_control_create(&control);
    if (status == MASKDM_OK)
        maskdm_control_set_log(control, say, NULL);
    if (status == MASKDM_OK)
        status = maskdm_options_create(&o, "train");
    if (status == MASKDM_OK)
        status = maskdm_device_open(&device, "cpu", NULL);
    if (status == MASKDM_OK)
        status = train(argv[1], o, device, control);
    if (status != MASKDM_OK)
        fprintf(stderr, "stages: %s\n", maskdm_last_error());
    maskdm_device_release(&device);
    maskdm_options_release(&o);
    maskdm_control_release(&control);
    return status == MASKDM_OK ? 0 : 1;
}
