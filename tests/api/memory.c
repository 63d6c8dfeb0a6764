/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is in memory already: picture files in it are read as those in a folder are, what a host lends goes back once,
 * and one set of weights is set alone.
 */
#include "rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 5 };

static char folder[32];
static void *file[FILES];
static size_t size[FILES];

/* Pictures of 12 x 10 to be fitted; the last two have 16 bits. */
static void make_files(void)
{
    static uint16_t deep[12 * 10 * 3];
    static unsigned char shallow[12 * 10 * 3];
    char path[64];

    strcpy(folder, "memory_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int k = 0; k < FILES; k++) {
        const int bits = k < 3 ? 8 : 16;
        maskdm_image *m;
        FILE *f;

        for (int i = 0; i < 12 * 10 * 3; i++) {
            shallow[i] = (unsigned char)(k * 50 + i);
            deep[i] = (uint16_t)(k * 5000 + i * 131);
        }
        snprintf(path, sizeof path, "%s/%d", folder, k % 2);
        (void)mkdir(path, 0777);
        snprintf(path, sizeof path, "%s/%d/%d.png", folder, k % 2, k);
        MUST(maskdm_image_create(&m, 12, 10, 3, bits == 8 ? MASKDM_SAMPLE_U8 : MASKDM_SAMPLE_U16,
                                 bits == 8 ? (void *)shallow : (void *)deep, 0));
        MUST(maskdm_image_write_png(m, path, bits));
        maskdm_image_release(&m);
        f = fopen(path, "rb");
        file[k] = malloc(1 << 16);
        ck_assert(f && file[k]);
        size[k] = fread(file[k], 1, 1 << 16, f);
        fclose(f);
    }
}

static void remove_files(void)
{
    char command[64];

    for (int k = 0; k < FILES; k++)
        free(file[k]);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* `encoded` has the files in the folder's order, which goes by label. */
static void compare(maskdm_data *encoded, maskdm_data *opened)
{
    ck_assert_int_eq(maskdm_data_count(encoded), maskdm_data_count(opened));
    ck_assert_int_eq(maskdm_data_label_count(encoded), 2);
    for (int64_t i = 0; i < maskdm_data_count(opened); i++) {
        float a[RIG_VALUES], b[RIG_VALUES];
        int32_t of_a, of_b;

        MUST(maskdm_data_get(encoded, i, a, &of_a));
        MUST(maskdm_data_get(opened, i, b, &of_b));
        ck_assert_mem_eq(a, b, sizeof a);
        ck_assert_int_eq(of_a, of_b);
    }
}

START_TEST(files_in_memory_are_a_folder)
{
    static const int order[FILES] = {0, 2, 4, 1, 3};
    maskdm_options *o = rig_options("folder", "image_size=8");
    maskdm_device *dev = rig_device("threads=1");
    const void *files[FILES];
    size_t sizes[FILES];
    int32_t labels[FILES];
    maskdm_data *encoded, *opened;

    make_files();
    for (int i = 0; i < FILES; i++) {
        files[i] = file[order[i]];
        sizes[i] = size[order[i]];
        labels[i] = order[i] % 2;
    }
    MUST(maskdm_data_open_folder(&opened, dev, folder, o, NULL));
    MUST(maskdm_data_create_encoded(&encoded, dev, FILES, files, sizes, labels, o));
    memset(labels, -1, sizeof labels); /* they were copied */
    compare(encoded, opened);
    maskdm_data_release(&opened);
    ck_assert_int_eq(maskdm_device_memory_used(dev), FILES * RIG_VALUES * (int64_t)sizeof(uint16_t));
    maskdm_data_release(&encoded);
    ck_assert_int_eq(maskdm_device_memory_used(dev), 0);

    MUST(maskdm_data_create_encoded(&encoded, dev, 2, files, sizes, NULL, o)); /* 8 bits stay 8 */
    ck_assert_int_eq(maskdm_device_memory_used(dev), 2 * RIG_VALUES);
    maskdm_data_release(&encoded);
    maskdm_device_release(&dev);
    maskdm_options_release(&o);
    remove_files();
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    maskdm_options *o = rig_options("folder", "image_size=8"), *mask = rig_options("mask", "");
    maskdm_device *dev = rig_device("threads=1"), *small = rig_device("threads=1 memory_limit=500");
    const void *files[FILES];
    maskdm_data *d;

    make_files();
    memcpy(files, file, sizeof files);
    files[3] = "GIF89a, they say";
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, FILES, files, size, NULL, o), MASKDM_EFORMAT);
    ck_assert_str_eq(maskdm_last_error(), "image 3: neither PNG nor JPEG, but a GIF picture");
    ck_assert_ptr_null(d);
    files[3] = NULL;
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, FILES, files, size, NULL, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "image 3: its bytes are NULL");
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, 0, files, size, NULL, o), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, 2, files, size, NULL, mask), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_encoded(&d, small, 3, files, size, NULL, o), MASKDM_ENOMEM);
    ck_assert_int_eq(maskdm_data_create_encoded(&d, small, INT64_MAX, files, size, NULL, o), MASKDM_ENOMEM);
    ck_assert_int_eq(maskdm_device_memory_used(dev), 0);
    ck_assert_int_eq(maskdm_device_memory_used(small), 0);
    maskdm_device_release(&small);
    maskdm_device_release(&dev);
    maskdm_options_release(&mask);
    maskdm_options_release(&o);
    remove_files();
}
END_TEST

START_TEST(a_picture_is_read_from_memory)
{
    maskdm_options *o = rig_options("image", "image_pixels=100");
    unsigned char a[12 * 10], b[12 * 10];
    maskdm_image *m;
    char path[64];

    make_files();
    snprintf(path, sizeof path, "%s/1/1.png", folder);
    MUST(maskdm_image_read(&m, path, 1, NULL));
    MUST(maskdm_image_copy(m, MASKDM_SAMPLE_U8, a, 0));
    maskdm_image_release(&m);
    MUST(maskdm_image_read_memory(&m, file[1], size[1], 1, NULL));
    MUST(maskdm_image_copy(m, MASKDM_SAMPLE_U8, b, 0));
    maskdm_image_release(&m);
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_int_eq(maskdm_image_read_memory(&m, file[1], size[1], 1, o), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "120 pixels"));
    for (size_t n = 0; n < size[1] / 2; n += 3) /* cut short, wherever it is */
        ck_assert_int_eq(maskdm_image_read_memory(&m, file[1], n, 1, NULL), MASKDM_EFORMAT);
    maskdm_options_release(&o);
    remove_files();
}
END_TEST

static void count(void *user)
{
    ++*(int *)user;
}

static int64_t visible(void *user, int64_t rows, int64_t columns)
{
    (void)user;
    return rows * columns;
}

static int draw(void *user, uint64_t random, int64_t rows, int64_t columns, int32_t *index)
{
    (void)user;
    (void)random;
    for (int64_t i = 0; i < rows * columns; i++)
        index[i] = (int32_t)i;
    return 0;
}

/* Ownership passes with the call: what fails drops at once, what was made drops with its last reference. */
START_TEST(what_is_lent_goes_back_once)
{
    static const unsigned char pixel[2 * RIG_VALUES];
    static const int32_t bad[2] = {0, -7};
    maskdm_device *dev = rig_device("threads=1");
    maskdm_data *d, *part[2];
    maskdm_mask *m;
    int n = 0;

    MUST(maskdm_data_create_memory(&d, dev, 2, 8, 8, 3, MASKDM_SAMPLE_U8, pixel, 0, 0, NULL, count, &n));
    MUST(maskdm_data_split(&part[0], &part[1], d, 0.5, 1));
    maskdm_data_release(&d);
    maskdm_data_release(&part[0]);
    ck_assert_int_eq(n, 0);
    maskdm_data_release(&part[1]);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, 8, 8, 3, MASKDM_SAMPLE_U8, pixel, 1, 0, NULL, count, &n),
                     MASKDM_EINVAL);
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, 8, 8, 3, MASKDM_SAMPLE_U8, pixel, 0, 0, bad, count, &n),
                     MASKDM_EINVAL);
    ck_assert_int_eq(n, 3);
    ck_assert_int_eq(maskdm_data_create_memory(NULL, dev, 2, 8, 8, 3, MASKDM_SAMPLE_U8, pixel, 0, 0, NULL, count, &n),
                     MASKDM_EINVAL);
    ck_assert_int_eq(n, 4);
    ck_assert_int_eq(maskdm_data_create_callback(&d, dev, 0, 8, 8, 3, rig_fetch, count, &n), MASKDM_EINVAL);
    ck_assert_int_eq(n, 5);
    ck_assert_int_eq(maskdm_data_create_callback(&d, dev, 2, 8, 8, 3, NULL, count, &n), MASKDM_EINVAL);
    ck_assert_int_eq(n, 6);
    ck_assert_int_eq(maskdm_mask_create_custom(&m, "mine", visible, NULL, count, &n), MASKDM_EINVAL);
    ck_assert_int_eq(n, 7);
    MUST(maskdm_mask_create_custom(&m, "mine", visible, draw, count, &n));
    ck_assert_int_eq(n, 7);
    maskdm_mask_release(&m);
    ck_assert_int_eq(n, 8);
    maskdm_device_release(&dev);
}
END_TEST

/* EMA and online weights after some steps; each is set without the other. */
START_TEST(one_set_of_weights_is_set_alone)
{
    maskdm_device *dev = rig_device("threads=1");
    maskdm_model *model = rig_model(dev, RIG_NETWORK), *trained;
    maskdm_data *data = rig_data(dev);
    maskdm_trainer *t = rig_trainer(model, "type=none", "batch_size=4", NULL);
    const int64_t i = maskdm_model_parameter_find(model, "encoder.norm.bias");
    float ours[16], got[16], before[16];

    for (int k = 0; k < 16; k++)
        ours[k] = (float)k;
    for (int k = 0; k < 3; k++)
        MUST(maskdm_trainer_step(t, data));
    MUST(maskdm_trainer_model(&trained, t));
    ck_assert_int_eq(maskdm_model_has_online(trained), 1);
    MUST(maskdm_model_get_parameter(trained, MASKDM_WEIGHTS_EMA, i, before, 16));
    MUST(maskdm_model_set_parameter(trained, MASKDM_WEIGHTS_ONLINE, i, ours, 16));
    MUST(maskdm_model_get_parameter(trained, MASKDM_WEIGHTS_EMA, i, got, 16));
    ck_assert_mem_eq(got, before, sizeof got);
    MUST(maskdm_model_get_parameter(trained, MASKDM_WEIGHTS_ONLINE, i, got, 16));
    ck_assert_mem_eq(got, ours, sizeof got);
    MUST(maskdm_model_set_parameter(model, MASKDM_WEIGHTS_ONLINE, i, ours, 16)); /* its only set, by either name */
    MUST(maskdm_model_get_parameter(model, MASKDM_WEIGHTS_EMA, i, got, 16));
    ck_assert_mem_eq(got, ours, sizeof got);
    ck_assert_int_eq(maskdm_model_set_parameter(model, 2, i, ours, 16), MASKDM_EINVAL);
    maskdm_model_release(&trained);
    maskdm_trainer_release(&t);
    maskdm_data_release(&data);
    maskdm_model_release(&model);
    maskdm_device_release(&dev);
}
END_TEST

int main(void)
{
    const TTest *const test[] = {files_in_memory_are_a_folder,  what_cannot_be_read_is_named,
                                 a_picture_is_read_from_memory, what_is_lent_goes_back_once,
                                 one_set_of_weights_is_set_alone};

    return rig_run("memory", test, sizeof test / sizeof *test);
}
