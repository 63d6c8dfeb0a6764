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

/* What a host hands out: files in its own order, one of them broken; it may stop at one. */
struct handed {
    int order[FILES + 1], stop_at, asked, dropped;
};

static int hand_out(void *user, int64_t i, const void **bytes, size_t *n, int32_t *label)
{
    struct handed *h = user;
    const int k = h->order[i];

    h->asked++;
    if (h->asked == h->stop_at)
        return 1;
    *bytes = k < 0 ? (const void *)"GIF89a, they say" : file[k];
    *n = k < 0 ? 16 : size[k];
    *label = k < 0 ? 0 : k % 2;
    return 0;
}

static void drop_handed(void *user)
{
    ((struct handed *)user)->dropped++;
}

/* A folder's images by callback: from the cache, or asked for anew each time. */
static void hand_all_out(int cached)
{
    maskdm_options *o = rig_options("folder", cached ? "image_size=8" : "image_size=8 cache_limit=0");
    struct handed h = {.order = {0, 2, -1, 4, 1, 3}}, stops = {.order = {0, 2, 4, 1, 3}, .stop_at = 3};
    maskdm_device *dev = rig_device("threads=1");
    maskdm_data *handed, *opened;

    make_files();
    MUST(maskdm_data_open_folder(&opened, dev, folder, o, NULL));
    MUST(maskdm_data_create_encoded_callback(&handed, dev, FILES + 1, hand_out, drop_handed, &h, o, NULL));
    ck_assert_int_eq(maskdm_data_skipped(handed), 1);
    ck_assert_int_eq(h.asked, FILES + 1);
    compare(handed, opened);
    ck_assert_int_eq(h.asked > FILES + 1, !cached);
    ck_assert_ptr_null(maskdm_data_path(handed, 0));
    ck_assert_ptr_null(maskdm_data_label_name(handed, 0));
    ck_assert_int_eq(h.dropped, 0);
    maskdm_data_release(&handed);
    ck_assert_int_eq(h.dropped, 1);
    ck_assert_int_eq(maskdm_data_create_encoded_callback(&handed, dev, FILES, hand_out, drop_handed, &stops, o, NULL),
                     MASKDM_ECANCELED);
    ck_assert_str_eq(maskdm_last_error(), "the host's data function stopped at image 2");
    ck_assert_int_eq(stops.dropped, 1);
    h.order[0] = -1;
    ck_assert_int_eq(maskdm_data_create_encoded_callback(&handed, dev, 1, hand_out, drop_handed, &h, o, NULL),
                     MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "no readable image below \"the host's images\": 1 file tried, the first "
                                          "failed with: image 0: neither PNG, JPEG nor WebP, but a GIF picture");
    ck_assert_int_eq(h.dropped, 2);
    maskdm_data_release(&opened);
    ck_assert_int_eq(maskdm_device_memory_used(dev), 0);
    maskdm_device_release(&dev);
    maskdm_options_release(&o);
    remove_files();
}

START_TEST(files_of_a_host_are_a_folder)
{
    hand_all_out(1);
    hand_all_out(0);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    maskdm_options *o = rig_options("folder", "image_size=8"), *mask = rig_options("mask", "");
    maskdm_options *labelled = rig_options("folder", "image_size=8 label_file=x.txt");
    maskdm_device *dev = rig_device("threads=1"), *small = rig_device("threads=1 memory_limit=500");
    const void *files[FILES];
    size_t sizes[FILES];
    maskdm_data *d;

    make_files();
    memcpy(files, file, sizeof files);
    memcpy(sizes, size, sizeof sizes);
    files[3] = "GIF89a, they say";
    sizes[3] = strlen(files[3]);
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, FILES, files, sizes, NULL, o), MASKDM_EFORMAT);
    ck_assert_str_eq(maskdm_last_error(), "image 3: neither PNG, JPEG nor WebP, but a GIF picture");
    ck_assert_ptr_null(d);
    files[3] = NULL;
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, FILES, files, size, NULL, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "image 3: its bytes are NULL");
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, 0, files, size, NULL, o), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, 2, files, size, NULL, mask), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_encoded(&d, dev, 2, files, size, NULL, labelled), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "label_file is \"x.txt\", which goes by names"));
    ck_assert_int_eq(maskdm_data_create_encoded_callback(&d, dev, 2, hand_out, NULL, NULL, labelled, NULL),
                     MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "label_file is \"x.txt\", which goes by names"));
    maskdm_options_release(&labelled);
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

static int draw(void *user, uint64_t seed, int64_t rows, int64_t columns, int32_t *index)
{
    (void)user;
    (void)seed;
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

/* A buffer that grows, to some size. */
struct buffer {
    unsigned char *bytes;
    size_t size, most;
};

static int grow(void *user, const void *bytes, size_t n)
{
    struct buffer *b = user;

    if (b->size + n > b->most)
        return 1;
    b->bytes = realloc(b->bytes, b->size + n);
    ck_assert_ptr_nonnull(b->bytes);
    memcpy(b->bytes + b->size, bytes, n);
    b->size += n;
    return 0;
}

/* A buffer from its front, 1000 bytes at a time at most; up to `most` of them, where it ends or, with -1, cancels. */
struct source {
    const struct buffer *whole;
    size_t at, most;
    int64_t end;
};

static int64_t take(void *user, void *bytes, size_t n)
{
    struct source *s = user;
    const size_t left = (s->most < s->whole->size ? s->most : s->whole->size) - s->at;

    n = n < left ? n : left;
    n = n < 1000 ? n : 1000;
    memcpy(bytes, s->whole->bytes + s->at, n);
    s->at += n;
    return n ? (int64_t)n : s->end;
}

static int64_t take_too_much(void *user, void *bytes, size_t n)
{
    (void)user;
    memset(bytes, 0, n);
    return (int64_t)n + 1;
}

static void check_loading(maskdm_device *dev, const struct buffer *whole, uint64_t hash)
{
    struct source s = {whole, 0, SIZE_MAX, 0};
    maskdm_model *back;

    MUST(maskdm_model_load_from(&back, dev, take, &s));
    ck_assert_uint_eq(rig_model_hash(back), hash);
    maskdm_model_release(&back);
    s.at = 0;
    MUST(maskdm_model_load_one_from(&back, dev, take, &s, MASKDM_WEIGHTS_ONLINE));
    ck_assert_uint_eq(rig_model_hash(back), hash);
    maskdm_model_release(&back);
    for (s.most = 0; s.most < whole->size; s.most += whole->size / 5) {
        s.at = 0;
        s.end = 0;
        ck_assert_int_eq(maskdm_model_load_from(&back, dev, take, &s), MASKDM_EFORMAT);
        s.at = 0;
        s.end = -1;
        ck_assert_int_eq(maskdm_model_load_from(&back, dev, take, &s), MASKDM_ECANCELED);
        ck_assert_ptr_null(back);
        ck_assert_int_eq(strncmp(maskdm_last_error(), "the host ended the model file behind ", 37), 0);
        ck_assert_uint_eq(strtoull(maskdm_last_error() + 37, NULL, 10), s.most);
    }
    ck_assert_int_eq(maskdm_model_load_from(&back, dev, take_too_much, NULL), MASKDM_EINVAL);
}

START_TEST(a_model_goes_through_a_callback)
{
    maskdm_device *dev = rig_device("threads=1");
    maskdm_model *model = rig_model(dev, RIG_NETWORK), *back;
    struct buffer whole = {NULL, 0, SIZE_MAX}, cut = {NULL, 0, 0};
    const char path[] = "api_memory.safetensors";
    static unsigned char file_bytes[1 << 20];
    FILE *f;

    MUST(maskdm_model_save_to(model, grow, &whole));
    MUST(maskdm_model_save(model, path));
    f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(file_bytes, 1, sizeof file_bytes, f), whole.size);
    fclose(f);
    unlink(path);
    ck_assert_mem_eq(file_bytes, whole.bytes, whole.size);
    MUST(maskdm_model_load_memory(&back, dev, whole.bytes, whole.size));
    ck_assert_uint_eq(rig_model_hash(back), rig_model_hash(model));
    maskdm_model_release(&back);
    check_loading(dev, &whole, rig_model_hash(model));
    for (cut.most = 0; cut.most < whole.size; cut.most += whole.size / 5) {
        cut.size = 0;
        ck_assert_int_eq(maskdm_model_save_to(model, grow, &cut), MASKDM_ECANCELED);
        ck_assert_int_eq(strncmp(maskdm_last_error(), "the host's write function stopped at byte ", 42), 0);
        ck_assert_uint_eq(strtoull(maskdm_last_error() + 42, NULL, 10), cut.size);
    }
    free(cut.bytes);
    free(whole.bytes);
    maskdm_model_release(&model);
    maskdm_device_release(&dev);
}
END_TEST

/* Trained further from a file, by parts and by the whole job, a model keeps what its host wrote into it. */
static void check_training(maskdm_device *dev, const char *path)
{
    maskdm_options *o = rig_options("finetune", "init=api_memory.safetensors out=api_memory_run steps=1 "
                                              "batch_size=2");
    maskdm_data *data = rig_data(dev);
    maskdm_model *model, *trained, *plain;
    maskdm_trainer *t;

    MUST(maskdm_model_load(&model, dev, path));
    t = rig_trainer(model, "type=none", "batch_size=4", NULL);
    MUST(maskdm_trainer_step(t, data));
    MUST(maskdm_trainer_model(&trained, t));
    ck_assert_str_eq(maskdm_model_metadata(trained, "licence"), "ours \xe2\x82\xac");
    maskdm_model_release(&trained);
    MUST(maskdm_trainer_save(t, "api_memory.state"));
    maskdm_trainer_release(&t);
    plain = rig_model(dev, RIG_NETWORK);
    t = rig_trainer(plain, "type=none", "batch_size=4", NULL);
    MUST(maskdm_trainer_load(t, "api_memory.state"));
    MUST(maskdm_trainer_model(&trained, t));
    ck_assert_str_eq(maskdm_model_metadata(trained, "licence"), "ours \xe2\x82\xac");
    maskdm_model_release(&trained);
    maskdm_trainer_release(&t);
    MUST(maskdm_finetune(&trained, o, data, NULL, NULL));
    ck_assert_str_eq(maskdm_model_metadata(trained, "licence"), "ours \xe2\x82\xac");
    maskdm_model_release(&trained);
    maskdm_model_release(&plain);
    maskdm_model_release(&model);
    maskdm_data_release(&data);
    maskdm_options_release(&o);
    unlink("api_memory.state");
    ck_assert_int_eq(system("rm -rf ./api_memory_run"), 0);
}

START_TEST(metadata_stay_with_a_model)
{
    maskdm_device *dev = rig_device("threads=1");
    maskdm_model *model = rig_model(dev, RIG_NETWORK), *copy;
    const char path[] = "api_memory.safetensors";
    char key[16], longest[130];
    maskdm_file *f;

    ck_assert_ptr_null(maskdm_model_metadata(model, "licence"));
    MUST(maskdm_model_set_metadata(model, "gone", "x"));
    MUST(maskdm_model_set_metadata(model, "licence", "theirs"));
    MUST(maskdm_model_set_metadata(model, "licence", "ours \xe2\x82\xac"));
    MUST(maskdm_model_set_metadata(model, "empty", ""));
    MUST(maskdm_model_set_metadata(model, "gone", NULL));
    MUST(maskdm_model_set_metadata(model, "never", NULL));
    ck_assert_int_eq(maskdm_model_metadata_count(model), 2);
    ck_assert_str_eq(maskdm_model_metadata_key(model, 1), "empty");
    ck_assert_ptr_null(maskdm_model_metadata_key(model, 2));
    MUST(maskdm_model_save(model, path));
    MUST(maskdm_file_open(&f, path));
    ck_assert_str_eq(maskdm_file_metadata(f, "user.licence"), "ours \xe2\x82\xac");
    maskdm_file_release(&f);
    MUST(maskdm_model_clone(&copy, model));
    ck_assert_str_eq(maskdm_model_metadata(copy, "empty"), "");
    maskdm_model_release(&copy);
    check_training(dev, path);
    unlink(path);

    memset(longest, 'k', sizeof longest - 1);
    longest[129] = '\0';
    ck_assert_int_eq(maskdm_model_set_metadata(model, longest, "v"), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "a key of metadata has 129 bytes: 1 to 128 are possible");
    ck_assert_int_eq(maskdm_model_set_metadata(model, "", "v"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_model_set_metadata(model, "k", "\xff"), MASKDM_EINVAL);
    for (int i = 0; i < 62; i++) {
        snprintf(key, sizeof key, "%d", i);
        MUST(maskdm_model_set_metadata(model, key, key));
    }
    ck_assert_int_eq(maskdm_model_set_metadata(model, "one more", "v"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_model_metadata_count(model), 64);
    ck_assert_str_eq(maskdm_model_metadata(model, "61"), "61");
    maskdm_model_release(&model);
    maskdm_device_release(&dev);
}
END_TEST

int main(void)
{
    const TTest *const test[] = {files_in_memory_are_a_folder,
                                 files_of_a_host_are_a_folder,
                                 what_cannot_be_read_is_named,
                                 a_picture_is_read_from_memory,
                                 what_is_lent_goes_back_once,
                                 one_set_of_weights_is_set_alone,
                                 a_model_goes_through_a_callback,
                                 metadata_stay_with_a_model};

    return rig_run("memory", test, sizeof test / sizeof *test);
}
