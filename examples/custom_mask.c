/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A mask policy of one's own: every second patch of a checkerboard, white or black squares at random.
 *
 *     custom_mask IMAGES OUT STEPS
 */
#include <maskdm/maskdm.h>

#include <stdio.h>

/* The same number for every image: on an odd grid, what the rarer colour has. */
static int64_t visible(void *user, int64_t rows, int64_t columns)
{
    (void)user;
    return rows * columns / 2;
}

static int draw(void *user, uint64_t seed, int64_t rows, int64_t columns, int32_t *index)
{
    int64_t colour = (int64_t)(seed & 1), wanted = visible(user, rows, columns), n = 0;

    for (int64_t p = 0; p < rows * columns && n < wanted; p++)
        if ((p / columns + p % columns) % 2 == colour)
            index[n++] = (int32_t)p;
    return 0;
}

static int run(const char *images, const char *out, const char *steps, maskdm_mask *mask)
{
    maskdm_options *o;
    int rc = maskdm_options_create(&o, "pretrain");

    if (rc == MASKDM_OK)
        rc = maskdm_options_parse(o, "image_size=32 patch_size=4 dim=64 depth=3 heads=2 batch_size=16");
    if (rc == MASKDM_OK)
        rc = maskdm_options_set(o, "data", images);
    if (rc == MASKDM_OK)
        rc = maskdm_options_set(o, "out", out);
    if (rc == MASKDM_OK)
        rc = maskdm_options_set(o, "steps", steps);
    if (rc == MASKDM_OK)
        rc = maskdm_pretrain(NULL, o, NULL, mask, NULL);
    maskdm_options_release(&o);
    return rc;
}

int main(int argc, char **argv)
{
    maskdm_mask *mask;
    int rc;

    if (argc < 4) {
        fprintf(stderr, "usage: custom_mask IMAGES OUT STEPS\n");
        return 2;
    }
    rc = maskdm_mask_create_custom(&mask, "checkerboard", visible, draw, NULL, NULL);
    if (rc == MASKDM_OK) {
        printf("hides %.1f %% of an 8 x 8 grid\n", 100 * maskdm_mask_true_rate(mask, 8, 8));
        rc = run(argv[1], argv[2], argv[3], mask);
    }
    if (rc < 0)
        fprintf(stderr, "custom_mask: %s\n", maskdm_last_error());
    else
        printf("trained: %s/model.safetensors\n", argv[2]);
    maskdm_mask_release(&mask);
    return rc < 0;
}
