// Layers over maps [N, C, H, W]: one thread a number of the output, so that the 9 x 9 maps at the end of a network fill
// their blocks as well as the large ones at its beginning.
//
// Compiled at run time for one layer: NUMBER (float, half_number or bfloat_number) is what maps and weights are made of,
// ACTIVATION one of the functions below; depthwise also asks for KERNEL_HEIGHT, KERNEL_WIDTH and STRIDE. No header is
// included, because machines with a driver seldom have CUDA's. A test compiles the same text as C++ (ON_THE_HOST).

struct half_number { unsigned short bits; };
struct bfloat_number { unsigned short bits; };

#ifndef ON_THE_HOST
__device__ float half_to_float(unsigned short bits) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
}

__device__ unsigned short float_to_half(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
#endif

__device__ float load(float number) { return number; }
__device__ float load(half_number number) { return half_to_float(number.bits); }
__device__ float load(bfloat_number number) { return __uint_as_float((unsigned)number.bits << 16); }

__device__ void store(float *at, float x) { *at = x; }
__device__ void store(half_number *at, float x) { at->bits = float_to_half(x); }
__device__ void store(bfloat_number *at, float x) {
  unsigned bits = __float_as_uint(x);
  // To the nearest, halves to the even one; adding must not carry what is not a number into infinity.
  at->bits = x == x ? (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16 : 0x7fffu;
}

__device__ float identity(float x) { return x; }
__device__ float relu(float x) { return x > 0.0f ? x : 0.0f; }
__device__ float relu6(float x) { return x > 0.0f ? (x < 6.0f ? x : 6.0f) : 0.0f; }
__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ float silu(float x) { return x * sigmoid(x); }
__device__ float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678f)); }

#ifdef STRIDE
// y = ACTIVATION(x convolved with one filter a channel, plus bias); pixels outside the image count as zero.
extern "C" __global__ void depthwise(
    const NUMBER *__restrict__ x, const NUMBER *__restrict__ weight, const NUMBER *__restrict__ bias,
    NUMBER *__restrict__ y, int count, int channels, int height, int width, int out_height, int out_width, int top,
    int left) {
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  int out_x = index % out_width;
  int out_y = index / out_width % out_height;
  int plane = index / (out_width * out_height);
  int channel = plane % channels;
  const NUMBER *image = x + plane * height * width;
  const NUMBER *taps = weight + channel * (KERNEL_HEIGHT * KERNEL_WIDTH);
  float sum = 0.0f;
#pragma unroll
  for (int tap_y = 0; tap_y < KERNEL_HEIGHT; ++tap_y) {
    int in_y = out_y * STRIDE + tap_y - top;
    if (in_y < 0 || in_y >= height) continue;
#pragma unroll
    for (int tap_x = 0; tap_x < KERNEL_WIDTH; ++tap_x) {
      int in_x = out_x * STRIDE + tap_x - left;
      if (in_x < 0 || in_x >= width) continue;
      sum += load(image[in_y * width + in_x]) * load(taps[tap_y * KERNEL_WIDTH + tap_x]);
    }
  }
  store(y + index, ACTIVATION(sum + load(bias[channel])));
}
#endif

// y = ACTIVATION(x + the channel's bias); a plane is the H * W numbers of a channel.
extern "C" __global__ void bias_activation(
    const NUMBER *__restrict__ x, const NUMBER *__restrict__ bias, NUMBER *__restrict__ y, int count, int channels,
    int plane) {
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  store(y + index, ACTIVATION(load(x[index]) + load(bias[index / plane % channels])));
}
