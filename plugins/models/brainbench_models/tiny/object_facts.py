"""What the embedded model reads about everyday objects: how each one is, and what can be done with it."""

from __future__ import annotations

# Letters after each object: h heavy, d hard, l long, b bends, s sharp, c holds things, f flat, o soft,
# w burns, m metal, r rolls, t tears.
_OBJECTS = """
apple:or bag:bcot ball:or balloon:obrt banana:olb barrel:hdcr basket:cwb bed:hof belt:lbf blanket:bofwt
book:fhwt boot:cbo bottle:dcr bowl:dc box:cwf brick:hd broom:lw brush:w bucket:dc button:dr candle:owl
can:dcmr card:fbwt carpet:bofl chain:hdlbm chair:hdw chalk:dr clock:dm coat:bot coin:dfmr comb:df cork:or
crate:hcw cup:dc curtain:blowt door:hdfw drum:cdr envelope:fcbwt fan:fd fence:hdlw flag:bfowt fork:dsm
funnel:dc glove:bco hammer:hdm hanger:dlm hat:cbo helmet:dc hook:dsm hose:lbo iron:hdmf jar:dcr kettle:dchm
key:dm knife:dslm ladder:hdlw lamp:dm leaf:fbwot lid:df magnet:dmh mattress:hobf mirror:dfs mug:dc
nail:dsm needle:dsm net:bclo newspaper:fbwt pan:hdcm paper:fbwt paperclip:dmb pen:dl pencil:lws pillow:ob
pipe:dlcm plank:hdlfw plate:df pot:hdcm racket:dlf ribbon:lbowt ring:dmr rock:hd rope:lbw rubberband:bor
ruler:dlf saw:dslm scarf:lbowt scissors:dsm screw:dsm sheet:fbowt shirt:botw shoe:cbo shovel:hdlm sock:bco
spoon:dm sponge:ob spring:bdm stick:dlw stone:hd straw:lb string:lbw suitcase:hcd table:hdfw tape:lbft
teapot:dc tent:bcot tie:lbot tin:dcm tire:hbor toothbrush:l towel:bowf tray:df tube:lc tweezers:dsm
umbrella:lbs vase:dc wheel:hdr whistle:dm wire:lbdm wood:hdw wool:ow wrench:hdm
"""
OBJECTS: dict[str, str] = dict(entry.split(":") for entry in _OBJECTS.split())

# For each property: the words that say it, and what an object that has it can be used for.
PROPERTIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "h": ("heavy", ("hold a door open", "keep a tent from flying away", "train your arms", "press flowers")),
    "d": ("hard", ("crack a nut", "knock on a wall", "play a drum", "break the ice")),
    "l": ("long", ("reach a high shelf", "measure a room", "draw a line on the ground", "pull down a kite")),
    "b": ("easy to bend", ("wrap a present", "make a bracelet", "close a bundle", "shape a letter")),
    "s": ("sharp", ("open a parcel", "carve a name", "make holes in cloth", "scratch a picture")),
    "c": (
        "hollow",
        ("store marbles", "carry water", "plant a flower in it", "build a small house for a bird"),
    ),
    "f": ("flat", ("serve cake on it", "slide down a hill", "fan the fire", "draw a map on it")),
    "o": (
        "soft",
        ("rest your head on it", "dry the dishes", "keep a cat warm", "pack a glass for a journey"),
    ),
    "w": ("easy to burn", ("light a fire", "make smoke signals", "keep warm in winter", "make charcoal")),
    "m": ("made of metal", ("fix a machine", "catch a magnet", "make music", "repair a fence")),
    "r": ("round", ("play a rolling game", "teach a dog to fetch", "decorate a tree", "make a toy car")),
    "t": (
        "easy to tear",
        ("make confetti", "fold a boat", "leave a trail in the wood", "make a paper puppet"),
    ),
}
