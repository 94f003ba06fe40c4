/* Windows that move over an image: reading options, counting places. */
#include "gradient/graph/window.h"

#include <math.h>

#include "core/context.h"

/* Up to `most` integers; gives how many there are, −1 with a sentence. */
static int64_t integers(loss_context *context, const char *operation, const char *option,
                        const lossi_option_value *value, int64_t most, int64_t *numbers)
{
    for (int64_t i = 0; i < value->count && i < most; i++) {
        if (value->array[i] != floor(value->array[i])) {
            char text[32];
            lossi_fail(context, LOSS_ERROR_RANGE,
                       "the option '%s' of the operation '%s' counts pixels; %s is no integer", option,
                       operation, lossi_number(value->array[i], text));
            return -1;
        }
        numbers[i] = (int64_t)value->array[i];
    }
    return value->count;
}

loss_status lossi_window_pair(loss_context *context, const char *operation, const char *option,
                              const lossi_option_value *value, int64_t otherwise, int64_t *pair)
{
    int64_t numbers[2] = {otherwise, otherwise};
    const int64_t count = integers(context, operation, option, value, 2, numbers);
    if (count < 0) {
        return LOSS_ERROR_RANGE;
    }
    if (count > 2) {
        return lossi_fail(
            context, LOSS_ERROR_RANGE,
            "the option '%s' of the operation '%s' is one number, or one for the height and one "
            "for the width; these are %lld",
            option, operation, (long long)count);
    }
    pair[0] = numbers[0];
    pair[1] = count == 1 ? numbers[0] : numbers[1];
    return LOSS_OK;
}

loss_status lossi_window_padding(loss_context *context, const char *operation,
                                 const lossi_option_value *value, int64_t *padding)
{
    /* Which number is that of above, below, left and right. */
    static const int32_t from[5][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 1, 1}, {0}, {0, 1, 2, 3}};
    int64_t numbers[4] = {0};
    const int64_t count = integers(context, operation, "padding", value, 4, numbers);
    if (count < 0) {
        return LOSS_ERROR_RANGE;
    }
    if (count > 4 || count == 3) {
        return lossi_fail(
            context, LOSS_ERROR_RANGE,
            "the option 'padding' of the operation '%s' is one number, two for height and width, "
            "or four for above, below, left and right; these are %lld",
            operation, (long long)count);
    }
    for (int32_t i = 0; i < 4; i++) {
        padding[i] = numbers[from[count][i]];
    }
    return LOSS_OK;
}

int64_t lossi_window_places(lossi_window *window, int32_t axis, int64_t size, int32_t same)
{
    const int64_t stride = window->stride[axis];
    const int64_t covered = (window->window[axis] - 1) * window->dilation[axis] + 1;
    if (same) {
        const int64_t places = size / stride + (size % stride != 0);
        const int64_t missing = (places - 1) * stride + covered - size;
        const int64_t padding = places > 0 && missing > 0 ? missing : 0;
        window->before[axis] = padding / 2;
        window->after[axis] = padding - padding / 2;
        return places;
    }
    const int64_t room = size + window->before[axis] + window->after[axis] - covered;
    return room < 0 ? 0 : room / stride + 1;
}
