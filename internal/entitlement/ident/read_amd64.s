#include "go_asm.h"
#include "textflag.h"

// What read reads a name with. A name is its prefix and 36 characters, of
// which the first sixteen stand in the lower half of a register and the last
// sixteen in the upper one.

// Dashes where they stand in the two halves: characters 8, 13, and 23.
DATA dashes<>+0(SB)/8, $0x0000000000000000
DATA dashes<>+8(SB)/8, $0x00002d000000002d
DATA dashes<>+16(SB)/8, $0x000000002d000000
DATA dashes<>+24(SB)/8, $0x0000000000000000
GLOBL dashes<>(SB), RODATA|NOPTR, $32

// All bits where they stand.
DATA places<>+0(SB)/8, $0x0000000000000000
DATA places<>+8(SB)/8, $0x0000ff00000000ff
DATA places<>+16(SB)/8, $0x00000000ff000000
DATA places<>+24(SB)/8, $0x0000000000000000
GLOBL places<>(SB), RODATA|NOPTR, $32

// Which of the four characters between the halves takes the place of a dash:
// 16 that of 8, 17 that of 13, and 19 that of 23.
DATA between<>+0(SB)/8, $0x8080808080808080
DATA between<>+8(SB)/8, $0x8080018080808000
DATA between<>+16(SB)/8, $0x8080808003808080
DATA between<>+24(SB)/8, $0x8080808080808080
GLOBL between<>(SB), RODATA|NOPTR, $32

// The digits, and the same again.
DATA digits<>+0(SB)/8, $0x3736353433323130
DATA digits<>+8(SB)/8, $0x6665646362613938
DATA digits<>+16(SB)/8, $0x3736353433323130
DATA digits<>+24(SB)/8, $0x6665646362613938
GLOBL digits<>(SB), RODATA|NOPTR, $32

// The digit nine, and the number.
DATA nine<>+0(SB)/8, $0x3939393939393939
DATA nine<>+8(SB)/8, $0x3939393939393939
DATA nine<>+16(SB)/8, $0x3939393939393939
DATA nine<>+24(SB)/8, $0x3939393939393939
GLOBL nine<>(SB), RODATA|NOPTR, $32
DATA nines<>+0(SB)/8, $0x0909090909090909
DATA nines<>+8(SB)/8, $0x0909090909090909
DATA nines<>+16(SB)/8, $0x0909090909090909
DATA nines<>+24(SB)/8, $0x0909090909090909
GLOBL nines<>(SB), RODATA|NOPTR, $32

// The lower half of each byte.
DATA lower<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA lower<>+8(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA lower<>+16(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA lower<>+24(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL lower<>(SB), RODATA|NOPTR, $32

// The digit f at the version's place; zero is no digit.
DATA reserved<>+0(SB)/8, $0x0000000000000000
DATA reserved<>+8(SB)/8, $0x0066000000000000
DATA reserved<>+16(SB)/8, $0x0000000000000000
DATA reserved<>+24(SB)/8, $0x0000000000000000
GLOBL reserved<>(SB), RODATA|NOPTR, $32

// What stands for an account that is not given.
DATA nobody<>+0(SB)/8, $"acc_0000"
DATA nobody<>+8(SB)/8, $"0000-000"
DATA nobody<>+16(SB)/8, $"0-0000-0"
DATA nobody<>+24(SB)/8, $"000-0000"
DATA nobody<>+32(SB)/8, $"00000000"
GLOBL nobody<>(SB), RODATA|NOPTR, $40

// ORNOBODY follows the address of a text to its bytes, or to nobody's where the
// text is empty. R10 has nobody's, and R11 how long a name is.
#define ORNOBODY(text) \
	MOVQ    8(text), R12   \
	MOVQ    (text), text   \
	TESTQ   R12, R12       \
	CMOVQEQ R10, text      \
	CMOVQEQ R11, R12       \
	CMPQ    R12, R11       \
	JNE     no

// READ reads the name at an address into an id. Whatever a character is, adding
// nine where it is above the digit nine leaves a value in its lower half, and it
// is a digit if it is the digit of that value. What is wrong gathers in Y8.
#define READ(kind, from, id) \
	CMPL         (from), $kind         \
	JNE          no                    \
	CMPB         22(from), $0x2d       \
	JNE          no                    \
	VMOVDQU      4(from), X0           \
	VINSERTI128  $1, 24(from), Y0, Y0  \
	VPBROADCASTD 20(from), Y1          \
	VPSHUFB      Y11, Y1, Y1           \
	VPXOR        Y9, Y0, Y0            \
	VPOR         Y0, Y1, Y1            \
	VPAND        Y10, Y0, Y0           \
	VPOR         Y0, Y8, Y8            \
	VPCMPGTB     Y13, Y1, Y2           \
	VPAND        Y14, Y2, Y2           \
	VPADDB       Y1, Y2, Y2            \
	VPSHUFB      Y2, Y12, Y3           \
	VPXOR        Y1, Y3, Y3            \
	VPOR         Y3, Y8, Y8            \
	VPCMPEQB     Y7, Y1, Y1            \
	VPOR         Y1, Y8, Y8            \
	VPAND        Y15, Y2, Y2           \
	VEXTRACTI128 $1, Y2, X3            \
	VPSLLW       $4, X3, X3            \
	VPOR         X3, X2, X2            \
	VMOVDQU      X2, id(DI)

// func read(n *Names, member, account, toAccount *string) bool
TEXT ·read(SB), NOSPLIT, $0-33
	CMPB    ·wide(SB), $0
	JEQ     each
	MOVQ    n+0(FP), DI
	MOVQ    member+8(FP), SI
	MOVQ    account+16(FP), R8
	MOVQ    toAccount+24(FP), R9
	LEAQ    nobody<>(SB), R10
	MOVQ    $const_Length, R11
	CMPQ    8(SI), R11
	JNE     no
	MOVQ    (SI), SI
	ORNOBODY(R8)
	ORNOBODY(R9)
	VMOVDQU reserved<>(SB), Y7
	VPXOR   Y8, Y8, Y8
	VMOVDQU dashes<>(SB), Y9
	VMOVDQU places<>(SB), Y10
	VMOVDQU between<>(SB), Y11
	VMOVDQU digits<>(SB), Y12
	VMOVDQU nine<>(SB), Y13
	VMOVDQU nines<>(SB), Y14
	VMOVDQU lower<>(SB), Y15
	READ(const_Member, SI, Names_Member)
	READ(const_Account, R8, Names_Account)
	READ(const_Account, R9, Names_ToAccount)
	VPTEST  Y8, Y8
	VZEROUPPER
	SETEQ   ret+32(FP)
	RET

no:
	VZEROUPPER
	MOVB $0, ret+32(FP)
	RET

each:
	JMP ·readEach(SB)
