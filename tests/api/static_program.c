/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For static.py, which links it statically: trains the same two steps by BLAS on THREADS threads several times, and
 * prints the device's description and one number for the bits of the weights. Fails when they differ.
 *
 *     static_program THREADS
 */
#include <maskdm/maskdm.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { IMAGES = 16, SIDE = 32, CHANNELS = 3, TIMES = 5 };

static int fetch(void *user, int64_t index, float *image, int32_t *label)
{
    (void)user;
    *label = -1;
    for (int i = 0; i < SIDE * SIDE * CHANNELS; i++)
        image[i] = (float)((i * 7 + index * 31) % 256) / 255;
    return 0;
}

static int options(maskdm_options **out, const char *kind, const char *text)
{
    int rc = maskdm_options_create(out, kind);

    return rc < 0 ? rc : maskdm_options_parse(*out, text);
}

/* FNV-1a over the weights in training. */
static int hash_weights(uint64_t *h, const maskdm_model *m)
{
    int64_t n = maskdm_model_parameter_elements(m);
    float *value = malloc((size_t)n * sizeof *value);
    int rc = value ? MASKDM_OK : MASKDM_ENOMEM;

    *h = 1469598103934665603u;
    for (int64_t i = 0; !rc && i < maskdm_model_parameter_count(m); i++) {
        int64_t shape[8], count = 1;
        int rank = maskdm_model_parameter_shape(m, i, shape, 8);
        for (int k = 0; k < rank; k++)
            count *= shape[k];
        rc = maskdm_model_get_parameter(m, MASKDM_WEIGHTS_ONLINE, i, value, count);
        for (size_t k = 0; !rc && k < (size_t)count * sizeof *value; k++)
            *h = (*h ^ ((unsigned char *)value)[k]) * 1099511628211u;
    }
    free(value);
    return rc;
}

static int train(maskdm_device *dev, uint64_t *h)
{
    maskdm_options *network = NULL, *training = NULL, *masking = NULL;
    maskdm_optimizer *optimizer = NULL;
    maskdm_mask *mask = NULL;
    maskdm_model *model = NULL;
    maskdm_trainer *tr = NULL;
    maskdm_data *data = NULL;
    int rc;

    if ((rc = options(&network, "uvit", "image_size=32 patch_size=4 dim=128 depth=1 heads=2")) == MASKDM_OK &&
        (rc = options(&training, "trainer", "batch_size=16 seed=1")) == MASKDM_OK &&
        (rc = options(&masking, "mask", "type=none")) == MASKDM_OK &&
        (rc = maskdm_mask_create(&mask, masking)) == MASKDM_OK &&
        (rc = maskdm_optimizer_create(&optimizer, NULL, NULL)) == MASKDM_OK &&
        (rc = maskdm_data_create_callback(&data, dev, IMAGES, SIDE, SIDE, CHANNELS, fetch, NULL, NULL)) ==
            MASKDM_OK &&
        (rc = maskdm_model_create(&model, dev, "uvit", network, NULL, 3)) == MASKDM_OK &&
        (rc = maskdm_trainer_create(&tr, model, mask, optimizer, training, NULL)) == MASKDM_OK)
        for (int step = 0; step < 2 && rc == MASKDM_OK; step++)
            rc = maskdm_trainer_step(tr, data);
    if (rc == MASKDM_OK)
        rc = hash_weights(h, model);
    maskdm_trainer_release(&tr);
    maskdm_model_release(&model);
    maskdm_data_release(&data);
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&mask);
    maskdm_options_release(&masking);
    maskdm_options_release(&training);
    maskdm_options_release(&network);
    return rc;
}

int main(int argc, char **argv)
{
    maskdm_options *o = NULL;
    maskdm_device *dev = NULL;
    uint64_t first = 0, h = 0;
    int rc;

    if (argc != 2)
        return 2;
    if ((rc = options(&o, "device", "instruction_set=c")) == MASKDM_OK &&
        (rc = maskdm_options_set(o, "threads", argv[1])) == MASKDM_OK)
        rc = maskdm_device_open(&dev, "cpu", o);
    for (int i = 0; i < TIMES && rc == MASKDM_OK; i++) {
        rc = train(dev, &h);
        if (i == 0)
            first = h;
        else if (rc == MASKDM_OK && h != first)
            rc = 1;
    }
    if (rc < 0)
        fprintf(stderr, "%s\n", maskdm_last_error());
    else if (rc > 0)
        fprintf(stderr, "the weights differ from one time to the next\n");
    else
        printf("%s\n%016" PRIx64 "\n", maskdm_device_description(dev), h);
    maskdm_device_release(&dev);
    maskdm_options_release(&o);
    return rc != MASKDM_OK;
}
