"""Words too common to tell one topic from another: articles, pronouns, to be and to have, fillers of classes."""

from __future__ import annotations

_COMMON = {
    "es": (
        "a ademas ahi ahora al algo algun alguna algunas alguno algunos alla alli ante antes aqui aquel aquella "
        "aquellas aquello aquellos asi aun aunque bajo bien bueno cada casi como con contra cosa cosas creo cual "
        "cuales cualquier cuando cuanto de decir del desde despues dia dice digo donde dos durante e el ella ellas "
        "ello ellos en encima entonces entre era eran eres es esa esas ese eso esos esta estaba estaban estado "
        "estamos estan estar estas este esto estos estoy fue fueron gracias ha haber habia habian hace hacen hacer "
        "hacia han has hasta hay he hemos hola hoy igual incluso ir la las le les lo los luego manera mas me mejor "
        "menos mi mientras mis misma mismas mismo mismos momento mucha muchas mucho muchos muy nada ni ninguna "
        "ninguno no nos nosotros nuestra nuestras nuestro nuestros nunca o os otra otras otro otros para parece parte "
        "pero poco podemos poder poner por porque primera primero pues puede pueden puedo que quien quienes quiere "
        "quiero se sea sean segun segunda segundo ser si sido siempre sin sino sobre sois solo somos son soy su sus "
        "tal tambien tampoco tan tanto te tenemos tener tengo tenia ti tiene tienen toda todas todavia todo todos "
        "tras tres tu tus un una unas uno unos usted ustedes va vamos van veces ver vez vosotros voy y ya yo decimos "
        "dicen dijo veamos vemos ejemplo clase chicos verdad ok eh este mm"
    ),
    "en": (
        "a about actually after again all also am an and any are as at back be because been before being but by came "
        "can come could day did do does doing done down each even every few first for from get give go going good got "
        "had has have he her here him his how i if in into is it its just kind know let like little look lot made "
        "make many may me mean might more most much must my never no not now of off on once one only or other our out "
        "over own people put quite rather really right said same say see she should so some something still such sure "
        "take than thank that the their them then there these they thing things think this those though through time "
        "to too two under until up upon us use used very want was way we well went were what when where which while "
        "who why will with would yes yet you your ok okay uh um"
    ),
    "pt": (
        "a ainda agora ai ali ante antes ao aos apenas aquela aquele aquilo as assim ate bem cada com como da das de "
        "dela dele depois desde do dos e ela elas ele eles em entao entre era eram essa essas esse esses esta estao "
        "estar estas este estes eu foi foram ha isso isto ja la lhe mais mas me mesma mesmo meu minha muita muito "
        "muitos na nao nas nem no nos nossa nosso o onde os ou para pela pelo pode por porque pra quando que quem sao "
        "se seja sem ser seu seus so sobre sua suas tambem tem tempo ter toda todas todo todos tudo um uma umas uns "
        "vai vamos voce voces"
    ),
    "fr": (
        "a ai alors apres au aussi autre autres aux avait avant avec avez avoir avons beaucoup bien c ca car ce ceci "
        "cela celle celui ces cet cette chaque chose comme d dans de des deux dire dit doit donc dont du elle elles "
        "en encore entre est et etaient etait ete etes etre eu fait faire faut il ils j je jusque l la le les leur "
        "leurs lui m ma mais me meme memes mes moi moins mon n ne ni non nos notre nous on ont ou par parce pas peu "
        "peut plus pour pourquoi puis qu quand que quel quelle qui quoi rien s sa sans se ses si son sont sous sur t "
        "ta te tes tous tout toute toutes tres tu un une va voila vos votre vous y"
    ),
}

#: By language, without accents.
COMMON = {language: frozenset(words.split()) for language, words in _COMMON.items()}
ALL = frozenset().union(*COMMON.values())


def common(language: str | None) -> frozenset[str]:
    """Of a language; of an unknown one all that there are."""
    return COMMON.get(language or "", ALL)
