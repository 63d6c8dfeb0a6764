/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of the host's: all of it comes from there and goes back, whatever is asked for, in odd places and from every
 * thread; who changes the source while blocks are out is refused; and a host that has no more is answered.
 */
#include "rig.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define MODEL "api_allocator.safetensors"
#define PICTURE "api_allocator.png"

/* Hands out addresses that are 1 byte beyond what malloc() gave, and takes none but its own. */
struct host {
    atomic_long out, given, left; /* blocks out, ever given, and yet to give; below 0: no end */
};

enum { MARK = 0x5a, ODD = 17 };

static void *take(void *user, size_t bytes)
{
    struct host *h = user;
    unsigned char *p;

    ck_assert_uint_gt(bytes, 0);
    if (atomic_load(&h->left) >= 0 && atomic_fetch_sub(&h->left, 1) <= 0) {
        atomic_store(&h->left, 0);
        return NULL;
    }
    p = malloc(bytes + ODD);
    ck_assert_ptr_nonnull(p);
    memset(p, MARK, bytes + ODD); /* nothing may count on zeros */
    atomic_fetch_add(&h->out, 1);
    atomic_fetch_add(&h->given, 1);
    return p + ODD;
}

static void give(void *user, void *memory)
{
    struct host *h = user;
    unsigned char *p = (unsigned char *)memory - ODD;

    for (int i = 0; i < ODD; i++)
        ck_assert_int_eq(p[i], MARK);
    atomic_fetch_sub(&h->out, 1);
    free(p);
}

/* Trains, writes, reads and samples; what that gives, as one number. */
static uint64_t work(void)
{
    maskdm_device *dev = rig_device("threads=3");
    maskdm_model *model = rig_model(dev, RIG_NETWORK), *back;
    maskdm_data *data = rig_data(dev);
    maskdm_trainer *t = rig_trainer(model, "type=patch ratio=0.5", "batch_size=6 seed=2", NULL);
    static const unsigned char pixel[RIG_VALUES];
    maskdm_image *image;
    uint64_t h;

    for (int i = 0; i < 3; i++)
        MUST(maskdm_trainer_step(t, data));
    h = rig_trainer_hash(t);
    MUST(maskdm_model_save(model, MODEL));
    MUST(maskdm_model_load(&back, dev, MODEL));
    h ^= rig_sample_hash(back, NULL);
    MUST(maskdm_image_create(&image, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
    MUST(maskdm_image_write_png(image, PICTURE, 8));
    maskdm_image_release(&image);
    MUST(maskdm_image_read(&image, PICTURE, 1, NULL));
    maskdm_image_release(&image);
    maskdm_model_release(&back);
    maskdm_trainer_release(&t);
    maskdm_data_release(&data);
    maskdm_model_release(&model);
    maskdm_device_release(&dev);
    unlink(MODEL);
    unlink(PICTURE);
    return h;
}

START_TEST(all_memory_is_the_hosts)
{
    struct host h = {0, 0, -1};
    uint64_t expected = work();

    MUST(maskdm_set_allocator(take, give, &h));
    ck_assert_uint_eq(work(), expected);
    ck_assert_int_eq(h.out, 0);
    ck_assert_int_gt(h.given, 100);
    h.given = 0;
    MUST(maskdm_set_allocator(NULL, NULL, NULL));
    ck_assert_uint_eq(work(), expected);
    ck_assert_int_eq(h.given, 0);
}
END_TEST

START_TEST(it_cannot_change_while_memory_is_out)
{
    struct host h = {0, 0, -1};
    maskdm_options *o = rig_options("mask", "type=patch ratio=0.5");

    ck_assert_int_eq(maskdm_set_allocator(take, give, &h), MASKDM_EBUSY);
    ck_assert_int_eq(strncmp(maskdm_last_error(), "another allocator cannot be set: ", 33), 0);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), " blocks of memory are out"));
    ck_assert_int_eq(maskdm_last_status(), MASKDM_EBUSY);
    MUST(maskdm_options_set(o, "ratio", "0.25"));
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_set_allocator(take, NULL, &h), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "maskdm_set_allocator: release is NULL");
    ck_assert_int_eq(maskdm_set_allocator(NULL, give, &h), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "maskdm_set_allocator: allocate is NULL");
    ck_assert_int_eq(h.given, 0);
    MUST(maskdm_set_allocator(take, give, &h)); /* nothing was taken by what was refused */
    MUST(maskdm_set_allocator(NULL, NULL, NULL));
}
END_TEST

/* Each of the allocations of a model in turn is the first that the host has no memory for. */
START_TEST(a_host_without_memory_is_answered)
{
    struct host h = {0, 0, -1};
    int status = MASKDM_ENOMEM;

    MUST(maskdm_set_allocator(take, give, &h));
    for (long n = 0; status == MASKDM_ENOMEM; n++) {
        maskdm_device *dev = NULL;
        maskdm_model *model = NULL;

        h.left = n;
        status = maskdm_device_open(&dev, "cpu", NULL);
        if (status >= 0)
            status = maskdm_model_create(&model, dev, "uvit", NULL, NULL, 1);
        h.left = -1;
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "%ld: %d, %s", n, status, maskdm_last_error());
        ck_assert_ptr_null(status < 0 ? model : NULL);
        maskdm_model_release(&model);
        maskdm_device_release(&dev);
        ck_assert_int_eq(h.out, 0);
        ck_assert_int_lt(n, 10000);
    }
    ck_assert_int_gt(h.given, 100);
    MUST(maskdm_set_allocator(NULL, NULL, NULL));
}
END_TEST

/* ---- no memory for what loops and files of a host's own want ---- */

struct things {
    maskdm_device *dev;
    maskdm_options *folder, *network, *training;
    maskdm_data *data;
    maskdm_model *model, *copy;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
};

static int swallow(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)user += n;
    return 0;
}

static int make(struct things *t, const void *const *files, const size_t *sizes)
{
    static const int32_t labels[2] = {0, 1};
    size_t written = 0;
    int s;

    if ((s = maskdm_device_open(&t->dev, "cpu", NULL)) < 0 || (s = maskdm_options_create(&t->folder, "folder")) < 0 ||
        (s = maskdm_options_set(t->folder, "image_size", "8")) < 0 ||
        (s = maskdm_data_create_encoded(&t->data, t->dev, 2, files, sizes, labels, t->folder)) < 0 ||
        (s = maskdm_options_create(&t->network, "uvit")) < 0 ||
        (s = maskdm_options_parse(t->network, RIG_NETWORK)) < 0 ||
        (s = maskdm_model_create(&t->model, t->dev, "uvit", t->network, NULL, 1)) < 0 ||
        (s = maskdm_model_set_metadata(t->model, "a", "b")) < 0 ||
        (s = maskdm_model_set_metadata(t->model, "a", "c")) < 0 || (s = maskdm_model_clone(&t->copy, t->model)) < 0 ||
        (s = maskdm_model_save_to(t->copy, swallow, &written)) < 0 ||
        (s = maskdm_optimizer_create(&t->optimizer, NULL, NULL)) < 0 ||
        (s = maskdm_optimizer_set_group(t->optimizer, "*.bias", 0, 0)) < 0 ||
        (s = maskdm_options_create(&t->training, "trainer")) < 0 ||
        (s = maskdm_options_set(t->training, "batch_size", "2")) < 0 ||
        (s = maskdm_trainer_create(&t->trainer, t->model, NULL, t->optimizer, t->training, NULL)) < 0 ||
        (s = maskdm_trainer_want_input_gradient(t->trainer)) < 0 ||
        (s = maskdm_trainer_step(t->trainer, t->data)) < 0)
        return s;
    return maskdm_trainer_view(t->trainer, "target", NULL) ? MASKDM_OK : maskdm_last_status();
}

static void drop(struct things *t)
{
    maskdm_trainer_release(&t->trainer);
    maskdm_optimizer_release(&t->optimizer);
    maskdm_model_release(&t->copy);
    maskdm_model_release(&t->model);
    maskdm_data_release(&t->data);
    maskdm_options_release(&t->training);
    maskdm_options_release(&t->network);
    maskdm_options_release(&t->folder);
    maskdm_device_release(&t->dev);
}

START_TEST(nothing_is_lost_where_memory_ends)
{
    static unsigned char png[1 << 12], pixel[RIG_VALUES];
    const void *const files[2] = {png, png};
    struct host h = {0, 0, -1};
    int status = MASKDM_ENOMEM;
    size_t sizes[2];
    maskdm_image *m;
    FILE *f;

    MUST(maskdm_image_create(&m, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
    MUST(maskdm_image_write_png(m, PICTURE, 8));
    maskdm_image_release(&m);
    f = fopen(PICTURE, "rb");
    ck_assert_ptr_nonnull(f);
    sizes[0] = sizes[1] = fread(png, 1, sizeof png, f);
    fclose(f);
    unlink(PICTURE);
    MUST(maskdm_set_allocator(take, give, &h));
    for (long n = 0; status == MASKDM_ENOMEM; n++) {
        struct things t = {0};

        h.left = n;
        status = make(&t, files, sizes);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "%ld: %d, %s", n, status, maskdm_last_error());
        h.left = -1;
        drop(&t);
        ck_assert_int_eq(h.out, 0);
        ck_assert_int_lt(n, 10000);
    }
    MUST(maskdm_set_allocator(NULL, NULL, NULL));
}
END_TEST

int main(void)
{
    const TTest *const test[] = {all_memory_is_the_hosts, it_cannot_change_while_memory_is_out,
                                 a_host_without_memory_is_answered, nothing_is_lost_where_memory_ends};

    return rig_run("allocator", test, sizeof test / sizeof *test);
}
