//! A small pseudo-random generator (xorshift64*), so that libFuzzer's seed decides everything.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed) << 1 | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound.max(1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    pub fn pick_mut<'a, T>(&mut self, from: &'a mut [T]) -> Option<&'a mut T> {
        let index = self.below(from.len());
        from.get_mut(index)
    }

    /// A number where mistakes are made.
    pub fn integer(&mut self) -> i64 {
        const EDGES: [i64; 24] = [
            0,
            1,
            -1,
            2,
            3,
            -2,
            4,
            7,
            16,
            100,
            255,
            1000,
            65_536,
            1 << 20,
            1 << 28,
            i32::MAX as i64,
            i32::MIN as i64,
            1 << 32,
            1 << 40,
            1 << 61,
            1 << 62,
            i64::MAX,
            i64::MIN,
            i64::MAX - 1,
        ];
        if self.one_in(4) {
            self.below(20) as i64 - 4
        } else {
            EDGES[self.below(EDGES.len())]
        }
    }

    pub fn float(&mut self) -> f32 {
        const EDGES: [f32; 14] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            2.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
            1e-40,
            1e18,
        ];
        if self.one_in(4) {
            self.below(2000) as f32 / 100.0 - 10.0
        } else {
            EDGES[self.below(EDGES.len())]
        }
    }
}
